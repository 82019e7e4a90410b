//! `audiolm train`.

use std::fmt;
use std::path::{Path, PathBuf};
use std::process::exit;

use anyhow::{Context, Result, ensure};
use audiolm::pipeline::{Bundle, Part};
use audiolm::train::{
    Ending, Plan, Preset, Run, Schedule, Stage, given_codec, take_codec, taken_codec, train,
};
use clap::Args;
use clap::builder::{PossibleValuesParser, TypedValueParser};
use serde::Serialize;

use crate::interrupt::{INTERRUPTED, stop_on_ctrl_c};
use crate::session::Session;
use crate::{numbers, progress, published};

/// The name of all stages together that a bundle needs.
const ALL: &str = "all";
/// The settings of a run, in its folder.
const PLAN_FILE: &str = "plan.toml";

/// Train a stage, or all of them, on a folder of recordings; goes on where a run was interrupted
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct TrainArgs {
    /// What to train: each stage needs those before it
    #[arg(value_name = "STAGE", value_parser = stage_names())]
    stages: Stages,
    /// The recordings: any folder of audio, with or without a manifest.csv [default: those the run
    /// was started with]
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// The folder of the run: settings, checkpoints, metrics and the finished parts
    #[arg(long, value_name = "DIR")]
    run: PathBuf,
    /// A bundle whose codec and semantic tokenizer are used as they are, or a folder with these two
    /// alone (`codec`, `semantic-tokenizer`): only the language models are trained, in a fraction of
    /// the time
    #[arg(long, value_name = "BUNDLE")]
    tokenizers: Option<PathBuf>,
    /// The settings to start from [default: those of the run, tiny for a new one]
    #[arg(long, value_name = "NAME", value_parser = preset_names())]
    preset: Option<Preset>,
    /// A TOML file with the settings that differ; plan.toml in the folder of a run shows them all
    #[arg(long, value_name = "OVER.toml")]
    config: Option<PathBuf>,
    /// A codec to take as it is instead of training one: a folder, or a name on Hugging Face such as
    /// descript/dac_16khz [default: the one that the run has taken before]
    #[arg(long, value_name = "CODEC")]
    codec: Option<String>,
    /// Steps of each stage that is trained now
    #[arg(long, value_name = "N", value_parser = numbers::steps, allow_negative_numbers = true)]
    steps: Option<u64>,
}

const EXAMPLES: &str = "\
Examples:
  audiolm train all --data recordings/ --run runs/mine
  audiolm train codec --data recordings/ --run runs/mine --config wider.toml
  audiolm train all --data recordings/ --run runs/mine --codec descript/dac_16khz
  audiolm train all --run runs/mine             go on with an interrupted run
  audiolm train all --data recordings/ --run runs/toy --preset smoke
  audiolm train all --data recordings/ --run runs/mine --tokenizers models/speech-tiny
  audiolm train parallel --run runs/mine        for --decoder parallel; `all` leaves it out

Ctrl-C saves a checkpoint and stops.";

/// One stage, or all that a bundle needs, in their order.
#[derive(Debug, Clone, Copy)]
enum Stages {
    All,
    One(Stage),
}

/// What was trained.
#[derive(Debug, Serialize)]
struct Trained {
    run: PathBuf,
    finished: Vec<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    stopped: Option<Stopped>,
}

/// Where the training was interrupted.
#[derive(Debug, Serialize)]
struct Stopped {
    stage: &'static str,
    step: u64,
}

/// What is said when Ctrl-C is pressed.
const SAVING: &str = "saving a checkpoint after this step; press Ctrl-C again to stop without one";

impl TrainArgs {
    /// Trains.
    pub fn run(&self, session: &Session) -> Result<()> {
        let plan = self.plan(session.named_seed())?;
        if let Some(name) = &self.codec {
            take_codec(&self.run, &session.codec_folder(name)?)?;
        }
        let stages = match plan.tokenizers().is_none() && taken_codec(&self.run)?.is_some() {
            true => self.stages.without_codec(&self.run)?,
            false => self.stages.list(),
        };
        let plan = match given_codec(&plan, &self.run)? {
            Some(spec) => plan.with_codec(spec),
            None => plan,
        };
        let device = session.device()?;
        let stop = stop_on_ctrl_c(SAVING)?;
        let mut trained = Trained { run: self.run.clone(), finished: Vec::new(), stopped: None };
        for stage in stages {
            let observer = &mut *progress::observer();
            let run =
                Run { folder: &self.run, plan: &plan, device: &device, observer, stop: &stop };
            match train(stage, run).with_context(|| format!("training {}", stage.name()))? {
                Ending::Finished => trained.finished.push(stage.name()),
                Ending::Stopped { step } => {
                    trained.stopped = Some(Stopped { stage: stage.name(), step });
                    session.print(&trained)?;
                    exit(INTERRUPTED);
                }
            }
        }
        session.print(&trained)
    }

    /// The settings: a preset or those of the run, then the file, then the arguments.
    fn plan(&self, seed: Option<u64>) -> Result<Plan> {
        let mut plan = self.base()?;
        if let Some(path) = &self.config {
            plan = plan.with_overrides(&read(path)?, path)?;
        }
        self.set_folders(&mut plan)?;
        find_t5(&mut plan)?;
        plan.seed = seed.unwrap_or(plan.seed);
        self.check_data(&plan.data.folder)?;
        self.shorten(&mut plan);
        Ok(plan)
    }

    /// What is read from elsewhere, by absolute paths: a run may be gone on with from any folder.
    fn set_folders(&self, plan: &mut Plan) -> Result<()> {
        if let Some(folder) = &self.data {
            plan.data.folder = folder.clone();
        }
        if let Some(folder) = &self.tokenizers {
            plan.tokenizers = tokenizers(folder)?;
        }
        let Plan { data, tokenizers, codec, .. } = plan;
        for path in [&mut data.folder, &mut data.manifest, tokenizers, &mut codec.init_from] {
            if !path.as_os_str().is_empty() {
                *path = std::path::absolute(&path)?;
            }
        }
        Ok(())
    }

    fn base(&self) -> Result<Plan> {
        let saved = self.run.join(PLAN_FILE);
        match self.preset {
            Some(preset) => Ok(Plan::preset(preset)),
            None if saved.is_file() => {
                Ok(Plan::preset(Preset::Tiny).with_overrides(&read(&saved)?, &saved)?)
            }
            None => Ok(Plan::preset(Preset::Tiny)),
        }
    }

    /// Refuses a missing folder before the one of the run is made.
    fn check_data(&self, folder: &Path) -> Result<()> {
        let (run, shown) = (self.run.display(), folder.display());
        ensure!(
            folder != Path::new(""),
            "--data DIR is missing: {run} is a new run, and no settings say where its recordings are"
        );
        ensure!(folder.is_dir(), "{shown}: expected a folder of recordings, found none");
        Ok(())
    }

    /// Gives the stages that are trained now the steps that were asked for.
    fn shorten(&self, plan: &mut Plan) {
        for stage in self.stages.list() {
            if let (Some(steps), Some(schedule)) = (self.steps, schedule(plan, stage)) {
                schedule.steps = steps;
                schedule.warmup_steps = schedule.warmup_steps.min(steps);
            }
        }
    }
}

/// Looks for the T5 that stages are told through, under the name that the settings give it.
fn find_t5(plan: &mut Plan) -> Result<()> {
    if let Some(condition) = plan.condition.as_mut().filter(|it| !it.t5.is_empty()) {
        condition.t5_folder = std::path::absolute(published::find_text_encoder(&condition.t5)?)?;
    }
    Ok(())
}

/// How long a stage is trained; clusters are not trained by steps.
fn schedule(plan: &mut Plan, stage: Stage) -> Option<&mut Schedule> {
    match stage {
        Stage::SemanticEncoder => Some(&mut plan.semantic_encoder.schedule),
        Stage::Kmeans => None,
        Stage::Codec => Some(&mut plan.codec.schedule),
        Stage::Semantic => Some(&mut plan.semantic.schedule),
        Stage::Coarse => Some(&mut plan.coarse.schedule),
        Stage::Fine => Some(&mut plan.fine.schedule),
        Stage::Parallel => Some(&mut plan.parallel.schedule),
    }
}

/// The folder of a bundle, or one with the two tokenizers alone, each in a folder named as in a
/// bundle.
fn tokenizers(folder: &Path) -> Result<PathBuf> {
    let has = |part: Part| folder.join(part.folder()).is_dir();
    let is_bundle = folder.join("bundle.json").exists();
    if !is_bundle && has(Part::SemanticTokenizer) && has(Part::Codec) {
        return Ok(folder.to_owned());
    }
    Ok(Bundle::open(folder)?.folder().to_owned())
}

fn read(path: &Path) -> Result<String> {
    std::fs::read_to_string(path).with_context(|| path.display().to_string())
}

fn stage_names() -> impl TypedValueParser<Value = Stages> {
    let names = Stage::ALL.map(Stage::name).into_iter().chain([ALL]);
    PossibleValuesParser::new(names)
        .map(|name| Stage::from_name(&name).map_or(Stages::All, Stages::One))
}

fn preset_names() -> impl TypedValueParser<Value = Preset> {
    PossibleValuesParser::new(Preset::ALL.map(Preset::name))
        .map(|name| Preset::from_name(&name).expect("one of the possible values"))
}

impl Stages {
    fn list(self) -> Vec<Stage> {
        match self {
            Self::All => Stage::ALL.into_iter().filter(|it| !it.is_optional()).collect(),
            Self::One(stage) => vec![stage],
        }
    }
}

impl Stages {
    /// The stages of a run that has taken a codec as it was.
    fn without_codec(self, run: &Path) -> Result<Vec<Stage>> {
        ensure!(
            !matches!(self, Self::One(Stage::Codec)),
            "{}: this run has taken a codec as it is; there is none to train",
            run.display()
        );
        Ok(self.list().into_iter().filter(|it| *it != Stage::Codec).collect())
    }
}

impl fmt::Display for Trained {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let finished = match self.finished.as_slice() {
            [] => "nothing to its end".to_owned(),
            stages => stages.join(", "),
        };
        write!(f, "{}: trained {finished}", self.run.display())?;
        match &self.stopped {
            Some(Stopped { stage, step }) => {
                write!(f, "; {stage} stopped after {step} steps: the same command goes on")
            }
            None => Ok(()),
        }
    }
}
