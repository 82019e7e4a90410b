//! Numbers and strings.

use super::Machine;
use super::opcode::Opcode;
use crate::Fault;
use crate::node::Node;

/// Bytes of a number that is written out.
const LONGEST_NUMBER: usize = 64;

impl Machine<'_, '_> {
    pub(super) fn scalar(&mut self, opcode: Opcode) -> Result<(), Fault> {
        let node = self.scalar_node(opcode)?;
        self.push_new(node)
    }

    fn scalar_node(&mut self, opcode: Opcode) -> Result<Node, Fault> {
        Ok(match opcode {
            Opcode::None => Node::None,
            Opcode::NewTrue => Node::Bool(true),
            Opcode::NewFalse => Node::Bool(false),
            Opcode::Int => self.written_int()?,
            Opcode::BinInt => Node::Int(i32::from_le_bytes(self.stream.array()?).into()),
            Opcode::BinInt1 => Node::Int(self.stream.byte()?.into()),
            Opcode::BinInt2 => Node::Int(u16::from_le_bytes(self.stream.array()?).into()),
            Opcode::Long => self.written_long()?,
            Opcode::Long1 | Opcode::Long4 => self.long(opcode)?,
            Opcode::Float => self.written_float()?,
            Opcode::BinFloat => Node::Float(f64::from_be_bytes(self.stream.array()?)),
            Opcode::String => self.written_string()?,
            Opcode::Unicode => self.written_unicode()?,
            Opcode::BinString | Opcode::ShortBinString => self.old_string(opcode)?,
            Opcode::BinUnicode | Opcode::ShortBinUnicode | Opcode::BinUnicode8 => {
                self.unicode(opcode)?
            }
            _ => Node::Bytes(self.counted(opcode)?.into()),
        })
    }

    /// Python 2's integers and truths.
    fn written_int(&mut self) -> Result<Node, Fault> {
        match self.number()?.as_str() {
            "00" => Ok(Node::Bool(false)),
            "01" => Ok(Node::Bool(true)),
            text => {
                let int = text.parse().map_err(|_| self.malformed("an integer"))?;
                Ok(Node::Int(int))
            }
        }
    }

    fn written_long(&mut self) -> Result<Node, Fault> {
        let text = self.number()?;
        let text = text.strip_suffix('L').unwrap_or(&text);
        let int: i128 = text.parse().map_err(|_| self.malformed("an integer of 128 bits"))?;
        match i64::try_from(int) {
            Ok(int) => Ok(Node::Int(int)),
            Err(_) => self.paid(int.to_le_bytes().to_vec()).map(|it| Node::Long(it.into())),
        }
    }

    fn written_float(&mut self) -> Result<Node, Fault> {
        let float = self.number()?.parse().map_err(|_| self.malformed("a number"))?;
        Ok(Node::Float(float))
    }

    fn number(&mut self) -> Result<String, Fault> {
        let line = self.stream.line(LONGEST_NUMBER)?;
        String::from_utf8(line).map_err(|_| self.malformed("a number"))
    }

    /// The lowest byte first, in two's complement.
    fn long(&mut self, opcode: Opcode) -> Result<Node, Fault> {
        let bytes = self.counted(opcode)?;
        if bytes.len() > size_of::<i64>() {
            return Ok(Node::Long(bytes.into()));
        }
        let is_negative = bytes.last().is_some_and(|it| it & 0x80 != 0);
        let mut int = [if is_negative { 0xff } else { 0 }; size_of::<i64>()];
        int[..bytes.len()].copy_from_slice(&bytes);
        Ok(Node::Int(i64::from_le_bytes(int)))
    }

    /// Python 2's string in quotes. None that needs an escape is known in weights.
    fn written_string(&mut self) -> Result<Node, Fault> {
        let line = self.line()?;
        let inner = [b"'", b"\""].into_iter().find_map(|quote: &[u8; 1]| {
            line.strip_prefix(quote).and_then(|it| it.strip_suffix(quote))
        });
        match inner.filter(|it| !it.contains(&b'\\')).map(|it| String::from_utf8(it.to_vec())) {
            Some(Ok(text)) => Ok(Node::Text(text.into())),
            _ => Err(self.malformed("a string in quotes, without escapes")),
        }
    }

    /// Latin-1, without the escapes that other characters need.
    fn written_unicode(&mut self) -> Result<Node, Fault> {
        let line = self.line()?;
        match line.is_ascii() && !line.contains(&b'\\') {
            true => Ok(Node::Text(String::from_utf8_lossy(&line).into())),
            false => Err(self.malformed("a string without escapes")),
        }
    }

    /// Python 2's string, which may be text or bytes.
    fn old_string(&mut self, opcode: Opcode) -> Result<Node, Fault> {
        Ok(match String::from_utf8(self.counted(opcode)?) {
            Ok(text) => Node::Text(text.into()),
            Err(error) => Node::Bytes(error.into_bytes().into()),
        })
    }

    fn unicode(&mut self, opcode: Opcode) -> Result<Node, Fault> {
        let text = String::from_utf8(self.counted(opcode)?);
        text.map(|it| Node::Text(it.into())).map_err(|_| self.malformed("UTF-8"))
    }

    fn line(&mut self) -> Result<Vec<u8>, Fault> {
        const LONGEST_LINE: usize = 4096;
        let line = self.stream.line(LONGEST_LINE.min(self.limits.text))?;
        self.paid(line)
    }

    /// Bytes that follow their number.
    fn counted(&mut self, opcode: Opcode) -> Result<Vec<u8>, Fault> {
        let length = self.count(opcode)?;
        let (left, limit) = (self.stream.left(), self.limits.text);
        if length <= left.min(limit as u64) {
            self.budget.charge(length as usize)?;
        }
        self.stream.take(length, limit)
    }

    fn count(&mut self, opcode: Opcode) -> Result<u64, Fault> {
        use Opcode::{BinBytes, BinString, BinUnicode, Long1, Long4, ShortBinBytes};
        use Opcode::{ShortBinString, ShortBinUnicode};
        match opcode {
            Long1 | ShortBinString | ShortBinUnicode | ShortBinBytes => {
                Ok(self.stream.byte()?.into())
            }
            Long4 | BinString | BinUnicode | BinBytes => {
                Ok(u32::from_le_bytes(self.stream.array()?).into())
            }
            _ => Ok(u64::from_le_bytes(self.stream.array()?)),
        }
    }

    fn paid(&mut self, bytes: Vec<u8>) -> Result<Vec<u8>, Fault> {
        self.budget.charge(bytes.len())?;
        Ok(bytes)
    }
}
