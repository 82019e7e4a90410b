//! The loop that every trained stage shares: resume, step, measure, save, stop.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::checkpoint::{Checkpoint, Saved};
use crate::origin::Origin;
use crate::run::StageRun;
use crate::{
    MeasuredOn, Measures, MetricsLine, MetricsLog, Observer, StopSignal, TrainError, Trouble,
    read_metrics,
};

/// What a stage brings to the loop. All that a step draws at random must follow from the run's
/// seed and the number of the step.
pub(crate) trait Trainee {
    /// The stage's name.
    fn stage(&self) -> &'static str;

    /// Does what comes before the first step of all, and not when a run goes on.
    fn prepare(&mut self, _observer: &mut dyn Observer) -> Result<(), TrainError> {
        Ok(())
    }

    /// Does one step; its measures hold at least `loss`.
    fn step(&mut self, step: u64) -> Result<Measures, TrainError>;

    /// What is wrong after a step, for a stage that can go on from its last checkpoint all the same.
    fn trouble(&mut self, _measures: &Measures) -> Option<Trouble> {
        None
    }

    /// Begins another attempt from the last checkpoint, which has been restored: with other draws
    /// and more care.
    ///
    /// # Errors
    /// Where there have been enough.
    fn retry(&mut self, _trouble: Trouble, _step: u64) -> Result<Measures, TrainError> {
        Ok(Measures::default())
    }

    /// Measures held-out recordings after so many steps.
    fn validate(&mut self, steps_done: u64) -> Result<Measures, TrainError>;

    /// Shows in the stage's folder what was just measured, the last of `lines`.
    fn report(&self, _folder: &Path, _lines: &[MetricsLine]) -> Result<(), TrainError> {
        Ok(())
    }

    /// Writes everything the next step depends on.
    fn save(&self, folder: &Path) -> Result<(), TrainError>;

    /// Reads what [`save`](Self::save) wrote.
    fn restore(&mut self, folder: &Path) -> Result<(), TrainError>;
}

/// How often to look and to save.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Cadence {
    /// Steps between two lines of metrics.
    pub log_every: u64,
    /// Steps between two validations.
    pub validate_every: u64,
    /// Steps between two checkpoints.
    pub save_every: u64,
}

/// How the training of a stage ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    /// Every step is done.
    Finished,
    /// The stop signal came; a checkpoint holds the steps done so far.
    Stopped {
        /// Steps done.
        step: u64,
    },
}

/// A run of one stage.
pub(crate) struct Drive<'a> {
    folder: PathBuf,
    origin: Origin,
    steps: u64,
    cadence: Cadence,
    observer: &'a mut dyn Observer,
    stop: &'a StopSignal,
}

impl<'a> Drive<'a> {
    /// So many steps in a stage's folder of a run.
    pub(crate) fn new(
        run: &'a mut StageRun<'_>,
        stage: &str,
        steps: u64,
        cadence: Cadence,
    ) -> Result<Self, TrainError> {
        let folder = run.stage_folder(stage)?;
        Ok(Self {
            folder,
            origin: run.origin.clone(),
            steps,
            cadence,
            observer: run.observer,
            stop: run.stop,
        })
    }

    /// Trains until the last step or the stop signal.
    pub(crate) fn run<T: Trainee>(mut self, trainee: &mut T) -> Result<Ending, TrainError> {
        let checkpoint = Checkpoint::of_stage(&self.folder);
        let mut step = match checkpoint.latest()? {
            Some(saved) => {
                saved.check(&self.origin)?;
                trainee.restore(&saved.folder)?;
                saved.step
            }
            None => {
                trainee.prepare(self.observer)?;
                checkpoint.replace(0, &self.origin, |folder| trainee.save(folder))?;
                0
            }
        };
        let mut saved = step;
        let mut log = MetricsLog::open(&self.metrics_path(), step)?;
        self.observer.begin(trainee.stage(), step, self.steps);
        while step < self.steps && !self.stop.is_set() {
            let measures = trainee.step(step)?;
            step += 1;
            if let Some(trouble) = trainee.trouble(&measures) {
                (step, log) = self.roll_back(trainee, &checkpoint, trouble, step)?;
                saved = step;
                continue;
            }
            check_finite(trainee.stage(), &measures, step, saved)?;
            if step.is_multiple_of(self.cadence.log_every) {
                log.push(&MetricsLine { step, on: MeasuredOn::Train, measures: measures.clone() })?;
            }
            self.observer.advance(step, &measures);
            if step.is_multiple_of(self.cadence.validate_every) || step == self.steps {
                let measures = trainee.validate(step)?;
                self.observer.validated(step, &measures);
                log.push(&MetricsLine { step, on: MeasuredOn::Valid, measures })?;
                trainee.report(&self.folder, &read_metrics(&self.metrics_path())?)?;
            }
            if step.is_multiple_of(self.cadence.save_every) {
                checkpoint.replace(step, &self.origin, |folder| trainee.save(folder))?;
                saved = step;
            }
        }
        if step != saved {
            checkpoint.replace(step, &self.origin, |folder| trainee.save(folder))?;
        }
        self.observer.end();
        Ok(if step >= self.steps { Ending::Finished } else { Ending::Stopped { step } })
    }

    /// Goes back to the last checkpoint, which then says that this has happened: the step to go on
    /// from, and the log without what was undone.
    fn roll_back(
        &mut self,
        trainee: &mut impl Trainee,
        checkpoint: &Checkpoint,
        trouble: Trouble,
        failed: u64,
    ) -> Result<(u64, MetricsLog), TrainError> {
        let Saved { folder, step, .. } =
            checkpoint.latest()?.expect("one is written before the first step");
        trainee.restore(&folder)?;
        self.observer.rolled_back(failed, step, &trouble);
        let measures = trainee.retry(trouble, failed)?;
        checkpoint.replace(step, &self.origin, |folder| trainee.save(folder))?;
        let mut log = MetricsLog::open(&self.metrics_path(), step)?;
        let measures = measures.with("failed_at", failed as f64);
        log.push(&MetricsLine { step, on: MeasuredOn::Rollback, measures })?;
        Ok((step, log))
    }

    fn metrics_path(&self) -> PathBuf {
        self.folder.join("metrics.jsonl")
    }
}

fn check_finite(
    stage: &'static str,
    measures: &Measures,
    step: u64,
    saved: u64,
) -> Result<(), TrainError> {
    match measures.get("loss") {
        Some(loss) if loss.is_finite() => Ok(()),
        loss => Err(TrainError::Diverged { stage, step, loss: loss.unwrap_or(f64::NAN), saved }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Plan, Preset, Stage};

    /// Counts; its loss is no number at one step of its first attempts.
    #[derive(Default)]
    struct Counting {
        count: u64,
        attempt: u64,
        fails_at: Option<u64>,
        failing_attempts: u64,
    }

    impl Trainee for Counting {
        fn stage(&self) -> &'static str {
            "counting"
        }

        fn step(&mut self, step: u64) -> Result<Measures, TrainError> {
            assert_eq!(self.count, step, "the state is not that of the step");
            self.count += 1;
            let fails = self.fails_at == Some(step) && self.attempt < self.failing_attempts;
            Ok(Measures::default().with("loss", if fails { f64::NAN } else { 1.0 }))
        }

        fn trouble(&mut self, measures: &Measures) -> Option<Trouble> {
            let value = measures.get("loss")?;
            (!value.is_finite()).then_some(Trouble::NotFinite { measure: "loss".into(), value })
        }

        fn retry(&mut self, trouble: Trouble, step: u64) -> Result<Measures, TrainError> {
            self.attempt += 1;
            match self.attempt > 3 {
                true => Err(TrainError::GaveUp { stage: "counting", step, rollbacks: 3, trouble }),
                false => Ok(Measures::default().with("rollbacks", self.attempt as f64)),
            }
        }

        fn validate(&mut self, _: u64) -> Result<Measures, TrainError> {
            Ok(Measures::default())
        }

        fn save(&self, folder: &Path) -> Result<(), TrainError> {
            let state = format!("{} {}", self.count, self.attempt);
            std::fs::write(folder.join("count"), state).map_err(TrainError::io(folder))
        }

        fn restore(&mut self, folder: &Path) -> Result<(), TrainError> {
            let state = std::fs::read_to_string(folder.join("count")).unwrap();
            let (count, attempt) = state.split_once(' ').unwrap();
            (self.count, self.attempt) = (count.parse().unwrap(), attempt.parse().unwrap());
            Ok(())
        }
    }

    /// What an observer is told of rollbacks.
    #[derive(Default)]
    struct Heard(Vec<(u64, u64, String)>);

    impl Observer for Heard {
        fn begin(&mut self, _: &str, _: u64, _: u64) {}
        fn advance(&mut self, _: u64, _: &Measures) {}
        fn validated(&mut self, _: u64, _: &Measures) {}
        fn rolled_back(&mut self, failed: u64, done: u64, trouble: &Trouble) {
            self.0.push((failed, done, trouble.to_string()));
        }
        fn end(&mut self) {}
    }

    fn drive(
        folder: &Path,
        trainee: &mut Counting,
        observer: &mut Heard,
    ) -> Result<Ending, TrainError> {
        let drive = Drive {
            origin: Origin::of(Stage::Codec, &Plan::preset(Preset::Smoke)),
            folder: folder.to_owned(),
            steps: 12,
            cadence: Cadence { log_every: 1, validate_every: 100, save_every: 5 },
            observer,
            stop: &StopSignal::default(),
        };
        drive.run(trainee)
    }

    #[track_caller]
    fn check(fails_at: Option<u64>, failing_attempts: u64, expected: &[(u64, u64)]) {
        let folder = tempfile::tempdir().unwrap();
        let mut trainee = Counting { fails_at, failing_attempts, ..Counting::default() };
        let mut heard = Heard::default();
        let ending = drive(folder.path(), &mut trainee, &mut heard).unwrap();
        assert_eq!((ending, trainee.count), (Ending::Finished, 12));

        let found: Vec<_> = heard.0.iter().map(|it| (it.0, it.1)).collect();
        assert_eq!(found, expected);
        assert!(heard.0.iter().all(|it| it.2 == "loss is NaN"), "{heard:?}", heard = heard.0);
        let lines = read_metrics(&folder.path().join("metrics.jsonl")).unwrap();
        let steps = |on| lines.iter().filter(move |it| it.on == on).map(|it| it.step);
        assert!(steps(MeasuredOn::Train).eq(1..=12));
        assert!(steps(MeasuredOn::Rollback).eq(expected.iter().map(|it| it.1)));
    }

    #[test]
    fn a_run_without_trouble_never_rolls_back() {
        check(None, 0, &[]);
    }
    #[test]
    fn a_run_goes_on_from_its_last_checkpoint() {
        check(Some(6), 1, &[(7, 5)]);
    }
    #[test]
    fn before_its_first_checkpoint_a_run_begins_anew() {
        check(Some(2), 2, &[(3, 0), (3, 0)]);
    }
    #[test]
    fn a_run_that_nothing_helps_gives_up() {
        let folder = tempfile::tempdir().unwrap();
        let mut trainee =
            Counting { fails_at: Some(6), failing_attempts: 9, ..Counting::default() };
        let mut heard = Heard::default();
        let error = drive(folder.path(), &mut trainee, &mut heard).unwrap_err();
        let expected = "counting: loss is NaN, at step 7 and after 3 returns to a checkpoint; \
                        lower the learning rate";
        assert_eq!(error.to_string(), expected);
        assert_eq!(heard.0.len(), 4);
    }
}
