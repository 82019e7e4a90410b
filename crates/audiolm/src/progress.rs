//! Progress on stderr: bars on a terminal, a line now and then elsewhere.

use std::io::{IsTerminal, Write, stderr};
use std::time::{Duration, Instant};

use audiolm::hub::Download;
use audiolm::pipeline::Progress;
use audiolm::train::{Measures, Observer, Trouble};
use audiolm::{discrimination, evaluation};
use indicatif::{HumanDuration, ProgressBar, ProgressStyle};

/// How long stderr is silent between two lines, where it is no terminal.
const PAUSE: Duration = Duration::from_secs(15);

/// Shows how work goes on, in the way that suits stderr.
pub fn observer() -> Box<dyn Observer> {
    match stderr().is_terminal() {
        true => Box::new(Bars { bar: ProgressBar::hidden() }),
        false => Box::new(Lines::default()),
    }
}

/// Shows how frames are drawn: those that are whole, since the stages take turns.
pub fn drawing() -> impl FnMut(Progress) {
    let mut pieces = Pieces::new();
    move |it| {
        if it.is_of_whole_frames() {
            pieces.show("frames", it.done, it.total);
        }
    }
}

/// Shows how stages draw, each to its end before the next begins.
pub fn stages() -> impl FnMut(Progress) {
    let mut pieces = Pieces::new();
    move |it| pieces.show(it.stage.folder(), it.done, it.total)
}

/// Shows how an evaluation goes on.
pub fn measuring() -> impl FnMut(evaluation::Progress) {
    let mut pieces = Pieces::new();
    move |it| pieces.show(it.measured.name(), it.done, it.total)
}

/// Shows how representations are compared.
pub fn comparing() -> impl FnMut(discrimination::Step) {
    let mut pieces = Pieces::new();
    move |it| pieces.show("representations", it.done, it.total)
}

/// Shows how files are downloaded.
pub fn downloading() -> impl FnMut(Download) {
    let mut pieces = Pieces::new();
    move |it| pieces.show("downloading", it.done as usize, it.total as usize)
}

/// Pieces of work that follow one another, each of another name.
struct Pieces {
    observer: Box<dyn Observer>,
    work: Option<&'static str>,
}

impl Pieces {
    fn new() -> Self {
        Self { observer: observer(), work: None }
    }

    fn show(&mut self, work: &'static str, done: usize, total: usize) {
        if self.work != Some(work) {
            self.observer.begin(work, 0, total as u64);
            self.work = Some(work);
        }
        self.observer.advance(done as u64, &Measures::default());
        if done == total {
            self.observer.end();
        }
    }
}

/// A bar for each piece of work.
struct Bars {
    bar: ProgressBar,
}

impl Observer for Bars {
    fn begin(&mut self, work: &str, done: u64, total: u64) {
        let template = "{prefix:18} {bar:24} {pos}/{len} {per_sec:>12} {eta:>5} left  {msg}";
        let style = ProgressStyle::with_template(template).expect("the template is well-formed");
        self.bar = ProgressBar::new(total).with_style(style).with_prefix(work.to_owned());
        self.bar.set_position(done);
        self.bar.reset_eta();
    }

    fn advance(&mut self, done: u64, measures: &Measures) {
        self.bar.set_position(done);
        self.bar.set_message(text(measures));
    }

    fn validated(&mut self, done: u64, measures: &Measures) {
        let work = self.bar.prefix();
        self.bar.println(format!("{work} {done}: held out: {}", text(measures)));
    }

    fn rolled_back(&mut self, failed: u64, done: u64, trouble: &Trouble) {
        let work = self.bar.prefix();
        self.bar.println(format!("{work} {failed}: {trouble}; going on from step {done}"));
        self.bar.set_position(done);
    }

    fn end(&mut self) {
        self.bar.finish();
    }
}

/// Plain lines.
struct Lines {
    work: String,
    total: u64,
    began: (Instant, u64),
    spoke: Instant,
}

impl Default for Lines {
    fn default() -> Self {
        let now = Instant::now();
        Self { work: String::new(), total: 0, began: (now, 0), spoke: now }
    }
}

impl Lines {
    fn say(&mut self, line: &str) {
        self.spoke = Instant::now();
        // Nobody reading is no reason to stop.
        let _ = writeln!(stderr().lock(), "{}: {line}", self.work);
    }

    /// How fast it goes, and how long it will take, once that can be told.
    fn pace(&self, done: u64) -> Option<String> {
        let (began, before) = self.began;
        let rate = done.saturating_sub(before) as f64 / began.elapsed().as_secs_f64();
        let left = Duration::try_from_secs_f64(self.total.saturating_sub(done) as f64 / rate);
        Some(format!("{rate:.2}/s, {} left", HumanDuration(left.ok()?)))
    }
}

impl Observer for Lines {
    fn begin(&mut self, work: &str, done: u64, total: u64) {
        *self = Self { work: work.to_owned(), total, ..Self::default() };
        self.began.1 = done;
    }

    fn advance(&mut self, done: u64, measures: &Measures) {
        if self.spoke.elapsed() >= PAUSE {
            let pace = self.pace(done).unwrap_or_default();
            self.say(&format!("{done} of {}, {pace}  {}", self.total, text(measures)));
        }
    }

    fn validated(&mut self, done: u64, measures: &Measures) {
        self.say(&format!("{done} of {}, held out: {}", self.total, text(measures)));
    }

    fn rolled_back(&mut self, failed: u64, done: u64, trouble: &Trouble) {
        self.say(&format!("{failed} of {}: {trouble}; going on from step {done}", self.total));
    }

    fn end(&mut self) {}
}

/// Measures in a row, the loss first.
pub fn text(measures: &Measures) -> String {
    let mut named: Vec<(&str, f64)> = measures.iter().collect();
    named.sort_by_key(|it| it.0 != "loss");
    let shown = named.into_iter().map(|(name, value)| format!("{name} {}", short(value)));
    shown.collect::<Vec<_>>().join("  ")
}

/// Four digits, however small the number is.
fn short(value: f64) -> String {
    let is_tiny = value != 0.0 && value.abs() < 1e-3;
    if is_tiny { format!("{value:.1e}") } else { format!("{value:.3}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn measures_are_short() {
        let measures = Measures::default().with("loss", 2.34567).with("learning_rate", 0.00031);
        assert_eq!(text(&measures), "loss 2.346  learning_rate 3.1e-4");
    }

    #[test]
    fn the_time_left_follows_from_the_steps_of_this_run() {
        let ten_seconds_ago = Instant::now() - Duration::from_secs(10);
        let lines = Lines { total: 300, began: (ten_seconds_ago, 100), ..Lines::default() };
        assert_eq!(lines.pace(200).as_deref(), Some("10.00/s, 10 seconds left"));
        assert_eq!(lines.pace(100), None);
    }
}
