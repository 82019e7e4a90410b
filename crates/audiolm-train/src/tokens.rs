//! The recordings of a run as tokens, made once by the finished tokenizers.

use std::path::Path;

use audiolm_codec::{Codec, CodecConfig, CodecSpec};
use audiolm_data::{Split, TokenStore, TokenStoreBuilder};
use audiolm_nn::fingerprint;
use audiolm_semantic::SemanticTokenizer;
use burn::prelude::*;

use crate::recordings::{Recordings, Waves};
use crate::run::StageRun;
use crate::run::created;
use crate::{Measures, TrainError, kmeans};

/// Folder of the exported codec.
pub(crate) const CODEC_PART: &str = "codec";
/// Samples that the codec encodes at once, as far as whole frames allow.
const CODEC_CHUNK_SAMPLES: usize = 160_000;

/// The tokens of one kind, and what made them.
#[derive(Debug)]
pub(crate) struct Tokens {
    pub(crate) train: TokenStore,
    pub(crate) valid: TokenStore,
    /// Fingerprint of the tokenizer.
    pub(crate) made_with: String,
}

/// Semantic ids, one for each frame.
pub(crate) fn semantic_tokens(run: &mut StageRun<'_>) -> Result<Tokens, TrainError> {
    let folder = run.exported(kmeans::PART, "kmeans")?;
    let tokenizer = SemanticTokenizer::load(&folder, run.device)?;
    let rate = tokenizer.config().encoder.sample_rate_hz();
    let hop = tokenizer.geometry().hop_samples;
    let device = run.device.clone();
    let maker = Maker {
        kind: "semantic",
        width: 1,
        rate_hz: rate as u32,
        frames_per_second: rate as f64 / hop as f64,
        made_with: fingerprint(&folder)?,
    };
    maker.tokens(run, |samples| {
        let n = samples.len();
        let wave = Tensor::from_data(TensorData::new(samples, [1, n]), &device);
        tokenizer.frame_ids(wave).concat().into_iter().map(|it| it as u16).collect()
    })
}

/// Codes of every quantizer, frame by frame.
pub(crate) fn codec_tokens(run: &mut StageRun<'_>) -> Result<Tokens, TrainError> {
    let folder = run.exported(CODEC_PART, "codec")?;
    let codec = Codec::load_from(&folder, run.device)?;
    let spec = codec.spec();
    let device = run.device.clone();
    let maker = Maker {
        kind: "codes",
        width: spec.n_quantizers,
        rate_hz: spec.sample_rate_hz as u32,
        frames_per_second: spec.frames_per_second(),
        made_with: fingerprint(&folder)?,
    };
    maker.tokens(run, |samples| {
        let whole = samples.len() - samples.len() % spec.hop_samples;
        if whole == 0 {
            return Vec::new();
        }
        let wave = TensorData::new(samples[..whole].to_vec(), [1, 1, whole]);
        let chunk_frames = CODEC_CHUNK_SAMPLES / spec.hop_samples;
        let codes = codec.encode_in_chunks(Tensor::from_data(wave, &device), chunk_frames);
        let by_frame = codes.swap_dims(1, 2).into_data().convert::<i64>();
        by_frame.iter::<i64>().map(|it| it as u16).collect()
    })
}

/// What the run's codec makes.
pub(crate) fn codec_spec(run: &StageRun<'_>) -> Result<CodecSpec, TrainError> {
    Ok(CodecConfig::load_from(&run.exported(CODEC_PART, "codec")?)?.spec())
}

/// Refuses a stage that has another number of something than the codec.
pub(crate) fn agree(
    quantity: &'static str,
    codec: usize,
    (setting, found): (&'static str, usize),
) -> Result<(), TrainError> {
    match codec == found {
        true => Ok(()),
        false => Err(TrainError::Codes { quantity, codec, setting, found }),
    }
}

/// Refuses a stage that is to learn more quantizers than the codec has.
pub(crate) fn enough(
    codec: &CodecSpec,
    (setting, found): (&'static str, usize),
) -> Result<(), TrainError> {
    match found <= codec.n_quantizers {
        true => Ok(()),
        false => {
            let quantity = "quantizers";
            Err(TrainError::Codes { quantity, codec: codec.n_quantizers, setting, found })
        }
    }
}

/// Refuses a codec whose frames are not those of the semantic tokens.
pub(crate) fn in_step(codec: &CodecSpec, semantic: &Tokens) -> Result<(), TrainError> {
    let (found, expected) = (codec.frames_per_second(), semantic.train.frames_per_second());
    match (found - expected).abs() < 1e-6 {
        true => Ok(()),
        false => Err(TrainError::FrameRates { codec: codec.kind, found, expected }),
    }
}

/// What the tokens of one kind are.
struct Maker {
    kind: &'static str,
    width: usize,
    rate_hz: u32,
    frames_per_second: f64,
    made_with: String,
}

impl Maker {
    /// Loads the tokens of both splits, making those that are not there or were made by another
    /// tokenizer.
    fn tokens(
        self,
        run: &mut StageRun<'_>,
        mut tokenize: impl FnMut(Vec<f32>) -> Vec<u16>,
    ) -> Result<Tokens, TrainError> {
        let folder = created(run.folder.join("tokens"))?;
        let recordings =
            Recordings::open(run.data, self.rate_hz, &run.cache_folder(), run.observer)?;
        let mut of_split = |split: Split, waves: &Waves| {
            let path = folder.join(format!("{}-{}.safetensors", self.kind, split.name()));
            match TokenStore::load_of(&path, &self.made_with) {
                Ok(store) if same_recordings(&store, waves) => Ok(store),
                _ => self.make(run, waves, &path, &mut tokenize),
            }
        };
        Ok(Tokens {
            train: of_split(Split::Train, &recordings.train)?,
            valid: of_split(Split::Valid, &recordings.valid)?,
            made_with: self.made_with.clone(),
        })
    }

    fn make(
        &self,
        run: &mut StageRun<'_>,
        waves: &Waves,
        path: &Path,
        tokenize: &mut impl FnMut(Vec<f32>) -> Vec<u16>,
    ) -> Result<TokenStore, TrainError> {
        run.observer.begin(&format!("tokenizing: {}", self.kind), 0, waves.len() as u64);
        let mut builder =
            TokenStoreBuilder::new(self.width, self.frames_per_second, &self.made_with);
        for recording in 0..waves.len() {
            if run.stop.is_set() {
                return Err(TrainError::Interrupted);
            }
            builder.push(waves.key(recording), &tokenize(waves.whole(recording)?));
            run.observer.advance(recording as u64 + 1, &Measures::default());
        }
        run.observer.end();
        let store = builder.finish();
        store.save(path)?;
        Ok(store)
    }
}

fn same_recordings(store: &TokenStore, waves: &Waves) -> bool {
    store.len() == waves.len() && (0..store.len()).all(|it| store.key(it) == waves.key(it))
}
