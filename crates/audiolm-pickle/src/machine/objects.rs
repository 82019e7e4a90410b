//! Names of classes and functions, and what Python would do with them.

use std::sync::Arc;

use super::opcode::Opcode;
use super::{Dialect, Machine};
use crate::node::{Id, Node, Object};
use crate::value::Pickle;
use crate::{Bytes, Fault, joblib};

impl Machine<'_, '_> {
    pub(super) fn object(&mut self, opcode: Opcode) -> Result<(), Fault> {
        match opcode {
            Opcode::Global => self.global(),
            Opcode::StackGlobal => self.stack_global(),
            Opcode::Reduce | Opcode::NewObj => self.call(),
            Opcode::NewObjEx => self.call_with_keywords(),
            Opcode::Inst => self.instance(),
            Opcode::Obj => self.instance_of_stack(),
            Opcode::Build => self.build(),
            Opcode::PersId => self.written_reference(),
            _ => self.reference(),
        }
    }

    fn global(&mut self) -> Result<(), Fault> {
        let global = self.written_global()?;
        self.push(global)
    }

    fn written_global(&mut self) -> Result<Id, Fault> {
        let (module, name) = (self.name()?, self.name()?);
        self.add(Node::Global { module, name })
    }

    fn name(&mut self) -> Result<Id, Fault> {
        const LONGEST_NAME: usize = 1024;
        let line = self.stream.line(LONGEST_NAME)?;
        self.budget.charge(line.len())?;
        let name = String::from_utf8(line).map_err(|_| self.malformed("a name"))?;
        self.add(Node::Text(name.into()))
    }

    fn stack_global(&mut self) -> Result<(), Fault> {
        let (name, module) = (self.pop()?, self.pop()?);
        let is_text = |it: Id| matches!(self.node(it), Node::Text(_));
        if !is_text(module) || !is_text(name) {
            return Err(self.malformed("a module and a name"));
        }
        self.push_new(Node::Global { module, name })
    }

    fn call(&mut self) -> Result<(), Fault> {
        let (args, callee) = (self.pop()?, self.pop()?);
        self.push_object(callee, args)
    }

    /// Keywords are left out: nothing that is read here has any.
    fn call_with_keywords(&mut self) -> Result<(), Fault> {
        let keywords = self.pop()?;
        match self.node(keywords) {
            Node::Dict(entries) if entries.is_empty() => self.call(),
            _ => Err(self.malformed("an object without keywords")),
        }
    }

    fn instance(&mut self) -> Result<(), Fault> {
        let callee = self.written_global()?;
        let start = self.end()?;
        self.push_instance(callee, start)
    }

    fn instance_of_stack(&mut self) -> Result<(), Fault> {
        let start = self.end()?;
        let callee = self.stack.get(start).copied();
        let callee = callee.ok_or(self.malformed("a class"))?;
        self.push_instance(callee, start + 1)?;
        // The class itself lies under the object.
        let object = self.pop()?;
        self.stack.truncate(start);
        self.push(object)
    }

    fn push_instance(&mut self, callee: Id, start: usize) -> Result<(), Fault> {
        self.push_tuple(start)?;
        let args = self.pop()?;
        self.push_object(callee, args)
    }

    fn push_object(&mut self, callee: Id, args: Id) -> Result<(), Fault> {
        if !matches!(self.node(args), Node::Tuple(_)) {
            return Err(self.malformed("a tuple of arguments"));
        }
        self.budget.charge(size_of::<Object>())?;
        let (items, entries) = (Vec::new(), Vec::new());
        let object = Object { callee, args, state: None, items, entries };
        self.push_new(Node::Object(Box::new(object)))
    }

    fn build(&mut self) -> Result<(), Fault> {
        let (state, target) = (self.pop()?, self.top()?);
        match &mut self.nodes[target.0 as usize] {
            Node::Object(object) if object.state.is_none() => object.state = Some(state),
            _ => return Err(self.malformed("an object without a state")),
        }
        match self.dialect.clone() {
            Dialect::Plain => Ok(()),
            Dialect::Joblib(bytes) => self.numbers_behind(target, bytes),
        }
    }

    /// What joblib writes behind the description of an array: its numbers, or where they are
    /// objects, another pickle.
    fn numbers_behind(&mut self, target: Id, bytes: Arc<Bytes>) -> Result<(), Fault> {
        let nodes = std::mem::take(&mut self.nodes);
        let pickle = Pickle { nodes, root: target };
        let described = joblib::array_of(pickle.root(), self.stream, bytes);
        self.nodes = pickle.nodes;
        match described? {
            joblib::Described::Nothing => Ok(()),
            joblib::Described::Numbers(array) => {
                self.budget.charge(size_of_val(&array) + 2 * size_of_val(array.shape()))?;
                self.nodes[target.0 as usize] = Node::Array(Box::new(array));
                Ok(())
            }
            joblib::Described::Objects => self.run_within().map(drop),
        }
    }

    fn written_reference(&mut self) -> Result<(), Fault> {
        let id = self.name()?;
        self.push_new(Node::Persistent(id))
    }

    fn reference(&mut self) -> Result<(), Fault> {
        let id = self.pop()?;
        self.push_new(Node::Persistent(id))
    }
}
