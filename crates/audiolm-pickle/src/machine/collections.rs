//! Tuples, lists, dicts and sets, and the stack they are taken from.

use super::Machine;
use super::opcode::Opcode;
use crate::Fault;
use crate::node::{Entry, Id, Node};

impl Machine<'_, '_> {
    pub(super) fn collection(&mut self, opcode: Opcode) -> Result<(), Fault> {
        match opcode {
            Opcode::Mark => self.begin(),
            Opcode::Pop => self.drop_top(),
            Opcode::PopMark => self.end().map(|start| self.stack.truncate(start)),
            Opcode::Dup => self.top().and_then(|it| self.push(it)),
            Opcode::EmptyTuple => self.push_new(Node::Tuple(Box::default())),
            Opcode::Tuple => self.end().and_then(|start| self.push_tuple(start)),
            Opcode::Tuple1 => self.short_tuple(1),
            Opcode::Tuple2 => self.short_tuple(2),
            Opcode::Tuple3 => self.short_tuple(3),
            Opcode::EmptyList => self.push_new(Node::List(Vec::new())),
            Opcode::EmptyDict => self.push_new(Node::Dict(Vec::new())),
            Opcode::EmptySet => self.push_new(Node::Set(Vec::new())),
            Opcode::List => self.whole(Node::List),
            Opcode::FrozenSet => self.whole(Node::Set),
            Opcode::Dict => self.whole_dict(),
            _ => self.fill(opcode),
        }
    }

    /// What fills the collection below the values that go into it.
    fn fill(&mut self, opcode: Opcode) -> Result<(), Fault> {
        let start = match opcode {
            Opcode::Append => self.below(1)?,
            Opcode::SetItem => self.below(2)?,
            _ => self.end()?,
        };
        let target = start.checked_sub(1).map(|it| self.stack[it]);
        let target = target.ok_or(self.malformed("a collection to put values into"))?;
        match opcode {
            Opcode::SetItem | Opcode::SetItems => self.set_entries(target, start),
            _ => self.append(target, start),
        }
    }

    /// The height of the stack without its last `n` values.
    fn below(&self, n: usize) -> Result<usize, Fault> {
        let lowest = self.marks.last().copied().unwrap_or(0);
        let start = self.stack.len().checked_sub(n).filter(|it| *it >= lowest);
        start.ok_or(self.malformed("more values on the stack"))
    }

    /// As in Python, what is on top may be the beginning of a collection.
    fn drop_top(&mut self) -> Result<(), Fault> {
        match self.marks.last() == Some(&self.stack.len()) {
            true => self.end().map(drop),
            false => self.pop().map(drop),
        }
    }

    fn short_tuple(&mut self, n: usize) -> Result<(), Fault> {
        let start = self.below(n)?;
        self.push_tuple(start)
    }

    pub(super) fn push_tuple(&mut self, start: usize) -> Result<(), Fault> {
        let items = self.taken(start)?;
        self.push_new(Node::Tuple(items.into()))
    }

    fn whole(&mut self, node: impl Fn(Vec<Id>) -> Node) -> Result<(), Fault> {
        let start = self.end()?;
        let items = self.taken(start)?;
        self.push_new(node(items))
    }

    fn whole_dict(&mut self) -> Result<(), Fault> {
        let start = self.end()?;
        let mut entries = Vec::new();
        self.drain_entries(&mut entries, start)?;
        self.push_new(Node::Dict(entries))
    }

    /// Takes the values from `start` on off the stack.
    fn taken(&mut self, start: usize) -> Result<Vec<Id>, Fault> {
        self.budget.charge((self.stack.len() - start) * size_of::<Id>())?;
        let items = self.stack[start..].to_vec();
        self.stack.truncate(start);
        Ok(items)
    }

    fn append(&mut self, target: Id, start: usize) -> Result<(), Fault> {
        let more = &self.stack[start..];
        let list = match &mut self.nodes[target.0 as usize] {
            Node::List(list) | Node::Set(list) => list,
            Node::Object(object) => &mut object.items,
            _ => return Err(self.malformed("a list, a set or an object")),
        };
        self.budget.reserve(list, more.len())?;
        list.extend_from_slice(more);
        self.stack.truncate(start);
        Ok(())
    }

    fn set_entries(&mut self, target: Id, start: usize) -> Result<(), Fault> {
        let mut entries = match &mut self.nodes[target.0 as usize] {
            Node::Dict(entries) => std::mem::take(entries),
            Node::Object(object) => std::mem::take(&mut object.entries),
            _ => return Err(self.malformed("a dict or an object")),
        };
        self.drain_entries(&mut entries, start)?;
        match &mut self.nodes[target.0 as usize] {
            Node::Object(object) => object.entries = entries,
            node => *node = Node::Dict(entries),
        }
        Ok(())
    }

    /// Moves the values from `start` on into `entries`, as keys and values by turns.
    fn drain_entries(&mut self, entries: &mut Vec<Entry>, start: usize) -> Result<(), Fault> {
        let pairs = self.stack[start..].chunks_exact(2);
        if !pairs.remainder().is_empty() {
            return Err(self.malformed("a value for each key"));
        }
        self.budget.reserve(entries, pairs.len())?;
        entries.extend(pairs.map(|it| Entry { key: it[0], value: it[1] }));
        self.stack.truncate(start);
        Ok(())
    }
}
