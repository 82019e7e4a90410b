//! The stack machine that a pickle is a program for, without anything that it could call.
//!
//! Reads protocols 0 to 5 (Python's `pickletools` documents each instruction). Where Python would
//! look up a class, call it or hand it its state, a value is made that says so, and nothing else
//! happens. Refused by number: extension codes and buffers outside of the pickle, which name things
//! that no file holds.

mod collections;
mod memo;
mod objects;
mod opcode;
mod scalars;
#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::sync::Arc;

use crate::limits::Budget;
use crate::node::{Id, Node};
use crate::stream::Stream;
use crate::value::Pickle;
use crate::{Bytes, Fault, Limits};
use opcode::Opcode;

/// Pickles within a pickle within a pickle, as joblib writes for arrays of objects.
const MOST_PICKLES: usize = 4;

/// What may lie between the instructions of a pickle.
#[derive(Debug, Clone)]
pub(crate) enum Dialect {
    /// Nothing.
    Plain,
    /// The numbers of arrays, as joblib writes them; they lie in these bytes.
    Joblib(Arc<Bytes>),
}

/// Reads one pickle, which ends where the stream stands then.
pub(crate) fn read_pickle(
    stream: &mut Stream<'_>,
    limits: &Limits,
    dialect: Dialect,
) -> Result<Pickle, Fault> {
    let mut machine = Machine::new(stream, limits, dialect);
    let root = machine.run()?;
    Ok(Pickle { nodes: machine.nodes, root })
}

struct Machine<'a, 'b> {
    stream: &'a mut Stream<'b>,
    limits: Limits,
    budget: Budget,
    dialect: Dialect,
    nodes: Vec<Node>,
    stack: Vec<Id>,
    /// Heights of the stack where collections were begun.
    marks: Vec<usize>,
    memo: HashMap<u32, Id>,
    /// Pickles that have been begun.
    depth: usize,
}

impl<'a, 'b> Machine<'a, 'b> {
    fn new(stream: &'a mut Stream<'b>, limits: &Limits, dialect: Dialect) -> Self {
        Self {
            stream,
            limits: *limits,
            budget: Budget::new(limits),
            dialect,
            nodes: Vec::new(),
            stack: Vec::new(),
            marks: Vec::new(),
            memo: HashMap::new(),
            depth: 0,
        }
    }

    /// Runs to the end of the pickle, and gives its value.
    fn run(&mut self) -> Result<Id, Fault> {
        self.depth += 1;
        if self.depth > MOST_PICKLES {
            return Err(Fault::Limit { of: "pickles in one another", limit: MOST_PICKLES as u64 });
        }
        loop {
            let at = self.stream.position();
            let found = self.stream.byte()?;
            let opcode = Opcode::of(found).ok_or(Fault::Opcode { at, found })?;
            if opcode == Opcode::Stop {
                self.depth -= 1;
                return self.pop();
            }
            self.execute(opcode)?;
        }
    }

    /// Reads the pickle that follows within this one; it shares neither stack nor memo.
    fn run_within(&mut self) -> Result<Id, Fault> {
        let stack = std::mem::take(&mut self.stack);
        let marks = std::mem::take(&mut self.marks);
        let memo = std::mem::take(&mut self.memo);
        let root = self.run();
        (self.stack, self.marks, self.memo) = (stack, marks, memo);
        root
    }

    fn execute(&mut self, opcode: Opcode) -> Result<(), Fault> {
        use opcode::Group;
        match opcode.group() {
            Group::Frame => self.frame(opcode),
            Group::Scalar => self.scalar(opcode),
            Group::Collection => self.collection(opcode),
            Group::Memo => self.memorize(opcode),
            Group::Object => self.object(opcode),
        }
    }

    /// What divides a pickle and says nothing.
    fn frame(&mut self, opcode: Opcode) -> Result<(), Fault> {
        const NEWEST_PROTOCOL: u8 = 5;
        if opcode == Opcode::Proto {
            return match self.stream.byte()? {
                ..=NEWEST_PROTOCOL => Ok(()),
                _ => Err(self.malformed("a protocol from 0 to 5")),
            };
        }
        let length = u64::from_le_bytes(self.stream.array()?);
        let (at, left) = (self.stream.position(), self.stream.left());
        match length <= left {
            true => Ok(()),
            false => Err(Fault::Truncated { at, wanted: length, left }),
        }
    }

    fn add(&mut self, node: Node) -> Result<Id, Fault> {
        let limit = self.limits.values.min(u32::MAX as usize);
        if self.nodes.len() >= limit {
            return Err(Fault::Limit { of: "values", limit: limit as u64 });
        }
        let id = Id(self.nodes.len() as u32);
        self.budget.push(&mut self.nodes, node)?;
        Ok(id)
    }

    fn push(&mut self, id: Id) -> Result<(), Fault> {
        if self.stack.len() >= self.limits.values {
            let limit = self.limits.values as u64;
            return Err(Fault::Limit { of: "values on the stack", limit });
        }
        self.budget.push(&mut self.stack, id)
    }

    fn push_new(&mut self, node: Node) -> Result<(), Fault> {
        let id = self.add(node)?;
        self.push(id)
    }

    fn pop(&mut self) -> Result<Id, Fault> {
        self.require_above_mark()?;
        self.stack.pop().ok_or(self.malformed("a value on the stack"))
    }

    fn top(&self) -> Result<Id, Fault> {
        self.require_above_mark()?;
        self.stack.last().copied().ok_or(self.malformed("a value on the stack"))
    }

    /// The collection that was begun last may not be reached through.
    fn require_above_mark(&self) -> Result<(), Fault> {
        match self.stack.len() > self.marks.last().copied().unwrap_or(0) {
            true => Ok(()),
            false => Err(self.malformed("a value on the stack")),
        }
    }

    fn begin(&mut self) -> Result<(), Fault> {
        let limit = self.limits.nesting;
        if self.marks.len() >= limit {
            return Err(Fault::Limit { of: "collections in one another", limit: limit as u64 });
        }
        self.budget.push(&mut self.marks, self.stack.len())
    }

    /// Where the values begin of the collection that was begun last, and begins no longer.
    fn end(&mut self) -> Result<usize, Fault> {
        self.marks.pop().ok_or(self.malformed("a collection that was begun"))
    }

    fn node(&self, id: Id) -> &Node {
        &self.nodes[id.0 as usize]
    }

    fn malformed(&self, expected: &'static str) -> Fault {
        Fault::Malformed { at: self.stream.position(), expected }
    }
}
