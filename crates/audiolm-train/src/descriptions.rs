//! What is known of each recording, as stages read it.

use std::cell::RefCell;
use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use audiolm_data::{Corpus, Recording, TokenStore};
use audiolm_text::{Conditioner, ConditionerConfig, Description, T5};
use audiolm_transformer::{Condition, ConditionConfig};

use crate::TrainError;
use crate::condition_settings::{ConditionSettings, ConditionerKind, Told};
use crate::language::{Frames, Split};
use crate::recordings::{Recordings, Waves};
use crate::run::StageRun;
use crate::tokens::Tokens;

/// Numbers of the conditions that are kept rather than made anew: 256 MB.
const MOST_KEPT: usize = 1 << 26;
/// The rate at which sounds are described.
const SOUND_HZ: u32 = 16_000;

/// What is told of each recording of a run.
pub(crate) struct Descriptions {
    conditioner: Arc<dyn Conditioner>,
    config: ConditionerConfig,
    condition: ConditionConfig,
    told: Told,
    train: OfSplit,
    valid: OfSplit,
    kept: RefCell<Kept>,
}

/// Conditions of texts that have been made.
#[derive(Default)]
struct Kept {
    conditions: HashMap<String, Condition>,
    n_numbers: usize,
}

/// By the places of recordings in the token store.
enum OfSplit {
    Texts(Vec<Option<String>>),
    Sounds(Vec<Condition>),
}

impl Descriptions {
    /// Those of the recordings whose tokens a stage learns from, if it is told anything.
    pub(crate) fn of_run(
        run: &mut StageRun<'_>,
        tokens: &Tokens,
    ) -> Result<Option<Self>, TrainError> {
        run.condition.map(|it| Self::new(run, it, tokens)).transpose()
    }

    fn new(
        run: &mut StageRun<'_>,
        settings: &ConditionSettings,
        tokens: &Tokens,
    ) -> Result<Self, TrainError> {
        let corpus = Corpus::open(&run.data.folder, &run.data.options())?;
        let by_key: HashMap<_, _> =
            corpus.recordings().iter().map(|it| (it.key.as_str(), it)).collect();
        let texts = |store: &TokenStore| -> Vec<Option<String>> {
            let recordings = (0..store.len()).map(|it| by_key.get(store.key(it)));
            recordings.map(|it| settings.of.text(it?)).collect()
        };
        let (train, valid) = (texts(&tokens.train), texts(&tokens.valid));
        if settings.of != Told::Sound && train.iter().all(Option::is_none) {
            return Err(TrainError::NothingTold { of: settings.of.name() });
        }
        let config = settings.conditioner_config(&train);
        let conditioner = settings.conditioner(&config, run)?;
        let (train, valid) = match settings.of {
            Told::Sound => sounds(run, conditioner.as_ref())?,
            _ => (OfSplit::Texts(train), OfSplit::Texts(known(valid, &config))),
        };
        let condition = settings.config(conditioner.width());
        let (told, kept) = (settings.of, RefCell::default());
        Ok(Self { conditioner, config, condition, told, train, valid, kept })
    }

    /// How stacks are told.
    pub(crate) fn condition(&self) -> ConditionConfig {
        self.condition
    }

    /// What a bundle has to know.
    pub(crate) fn conditioner(&self) -> &ConditionerConfig {
        &self.config
    }

    /// What is told of a crop of a recording of so many frames; nothing where nothing is known, or
    /// where it is known of the whole recording alone.
    pub(crate) fn of(
        &self,
        on: Split,
        crop: Frames,
        n_frames: usize,
    ) -> Result<Option<Condition>, TrainError> {
        let is_whole = crop.start == 0 && crop.end == n_frames;
        if !is_whole && !self.told.is_of_parts() {
            return Ok(None);
        }
        let of_split = match on {
            Split::Train => &self.train,
            Split::Valid => &self.valid,
        };
        match of_split {
            OfSplit::Sounds(conditions) => Ok(Some(conditions[crop.recording].clone())),
            OfSplit::Texts(texts) => {
                texts[crop.recording].as_ref().map(|it| self.of_text(it)).transpose()
            }
        }
    }

    fn of_text(&self, text: &str) -> Result<Condition, TrainError> {
        let mut kept = self.kept.borrow_mut();
        if let Some(condition) = kept.conditions.get(text) {
            return Ok(condition.clone());
        }
        let condition = condition(self.conditioner.as_ref(), &Description::Text(text))?;
        if kept.n_numbers < MOST_KEPT {
            kept.n_numbers += condition.n_vectors() * condition.width();
            kept.conditions.insert(text.to_owned(), condition.clone());
        }
        Ok(condition)
    }
}

/// What is told, as stages read it.
fn condition(
    conditioner: &dyn Conditioner,
    description: &Description<'_>,
) -> Result<Condition, TrainError> {
    Ok(Condition::new(conditioner.vectors(description)?, conditioner.width())?)
}

/// Without labels that the training recordings do not have: nothing is learnt of them.
fn known(texts: Vec<Option<String>>, config: &ConditionerConfig) -> Vec<Option<String>> {
    let ConditionerConfig::Labels { names } = config else { return texts };
    texts.into_iter().map(|it| it.filter(|it| names.contains(it))).collect()
}

fn sounds(
    run: &mut StageRun<'_>,
    conditioner: &dyn Conditioner,
) -> Result<(OfSplit, OfSplit), TrainError> {
    let cache = run.cache_folder();
    let recordings = Recordings::open(run.data, SOUND_HZ, &cache, run.observer)?;
    let of = |waves: &Waves| -> Result<OfSplit, TrainError> {
        let of_recording = |recording| {
            let samples = waves.whole(recording)?;
            condition(conditioner, &Description::Sound { samples: &samples, rate_hz: SOUND_HZ })
        };
        Ok(OfSplit::Sounds((0..waves.len()).map(of_recording).collect::<Result<_, _>>()?))
    };
    Ok((of(&recordings.train)?, of(&recordings.valid)?))
}

impl Told {
    /// What stands in the manifest.
    fn text(self, recording: &Recording) -> Option<String> {
        let text = match self {
            Self::Transcript => recording.transcript.clone()?,
            Self::Caption => recording.caption.clone()?,
            Self::Speaker => recording.speaker.clone(),
            Self::Set => recording.set.clone(),
            Self::Sound => return None,
        };
        (!text.trim().is_empty()).then(|| text.trim().to_owned())
    }
}

impl ConditionSettings {
    /// What a bundle has to know of the conditioner, whose labels are those of the texts.
    fn conditioner_config(&self, train: &[Option<String>]) -> ConditionerConfig {
        match self.conditioner {
            ConditionerKind::Characters => ConditionerConfig::Characters,
            ConditionerKind::Labels => {
                let names: BTreeSet<&String> = train.iter().flatten().collect();
                ConditionerConfig::Labels { names: names.into_iter().cloned().collect() }
            }
            ConditionerKind::T5 => ConditionerConfig::T5 { name: self.t5.clone() },
            ConditionerKind::Provided => ConditionerConfig::Provided,
        }
    }

    fn conditioner(
        &self,
        config: &ConditionerConfig,
        run: &StageRun<'_>,
    ) -> Result<Arc<dyn Conditioner>, TrainError> {
        if let Some(conditioner) = config.at_hand()? {
            return Ok(conditioner);
        }
        match self.conditioner {
            ConditionerKind::T5 => Ok(Arc::new(T5::load_from(self.t5_folder(), run.device)?)),
            _ => run.provided.clone().ok_or(TrainError::NoConditioner),
        }
    }
}
