//! Values that a pickle refers to again.

use super::Machine;
use super::opcode::Opcode;
use crate::Fault;

/// What an entry of the memo may take, when the table has just grown.
const ENTRY: usize = 48;
/// Bytes of an index that is written out.
const LONGEST_INDEX: usize = 16;

impl Machine<'_, '_> {
    pub(super) fn memorize(&mut self, opcode: Opcode) -> Result<(), Fault> {
        let index = match opcode {
            Opcode::BinGet | Opcode::BinPut => self.stream.byte()?.into(),
            Opcode::LongBinGet | Opcode::LongBinPut => u32::from_le_bytes(self.stream.array()?),
            Opcode::Memoize => self.memo.len() as u32,
            _ => self.written_index()?,
        };
        match opcode {
            Opcode::Get | Opcode::BinGet | Opcode::LongBinGet => {
                let id = self.memo.get(&index).copied();
                self.push(id.ok_or(self.malformed("a value that was memorized"))?)
            }
            _ => self.put(index),
        }
    }

    fn put(&mut self, index: u32) -> Result<(), Fault> {
        let id = self.top()?;
        let limit = self.limits.values;
        if !self.memo.contains_key(&index) {
            if self.memo.len() >= limit {
                return Err(Fault::Limit { of: "values to refer to", limit: limit as u64 });
            }
            self.budget.charge(ENTRY)?;
        }
        self.memo.insert(index, id);
        Ok(())
    }

    fn written_index(&mut self) -> Result<u32, Fault> {
        let line = self.stream.line(LONGEST_INDEX)?;
        let index = str::from_utf8(&line).ok().and_then(|it| it.parse().ok());
        index.ok_or(self.malformed("an index"))
    }
}
