//! Who watches a run: the binary draws progress bars, tests watch nothing.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::{Measures, Trouble};

/// Is told what a run does.
pub trait Observer {
    /// A piece of work begins: `done` of `total` units were done before.
    fn begin(&mut self, work: &str, done: u64, total: u64);
    /// So many units are done now.
    fn advance(&mut self, done: u64, measures: &Measures);
    /// Held-out recordings were measured.
    fn validated(&mut self, done: u64, measures: &Measures);
    /// What was done up to `failed` has gone wrong; work goes on from the checkpoint at `done`.
    fn rolled_back(&mut self, _failed: u64, _done: u64, _trouble: &Trouble) {}
    /// The piece of work is over.
    fn end(&mut self);
}

/// Watches nothing.
#[derive(Debug, Default, Clone, Copy)]
pub struct Unobserved;

impl Observer for Unobserved {
    fn begin(&mut self, _: &str, _: u64, _: u64) {}
    fn advance(&mut self, _: u64, _: &Measures) {}
    fn validated(&mut self, _: u64, _: &Measures) {}
    fn end(&mut self) {}
}

/// Asks a run to save and stop after the step it is in. Clones are one signal.
#[derive(Debug, Default, Clone)]
pub struct StopSignal(Arc<AtomicBool>);

impl StopSignal {
    /// Asks for the stop.
    pub fn stop(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    /// Whether it was asked for.
    pub fn is_set(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}
