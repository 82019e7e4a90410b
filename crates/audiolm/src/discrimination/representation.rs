//! Sound as frames that can be compared.

use audiolm_audio::Clip;
use audiolm_codec::SoundStream;
use audiolm_eval::{AbxItem, LabelledSpan};
use audiolm_nn::generator;
use audiolm_semantic::{Clustering, Mfcc, MfccConfig, SemanticTokenizer};
use burn::prelude::*;

use super::{DiscriminationError, DiscriminationOptions, Tokenizers};

/// Lloyd's iterations on MFCCs.
const KMEANS_ITERATIONS: usize = 20;
/// Frames for each cluster that k-means of MFCCs looks at.
const FRAMES_PER_CLUSTER: usize = 200;

/// What stands for a frame of sound. Features are compared as k-means compares them, and tokens by
/// their centroids.
pub(super) struct Representation {
    kind: Kind,
    tokenizer: SemanticTokenizer,
    device: Device,
}

enum Kind {
    Mfccs(Mfcc),
    MfccClusters(Mfcc, Clustering),
    Features,
    Tokens,
    Codes(SoundStream, usize),
}

/// The frames of a recording: `[time, width]`.
pub(super) struct Frames {
    values: Vec<f32>,
    pub(super) width: usize,
    per_second: f64,
}

impl Representation {
    /// All that are compared, from the plainest on.
    pub(super) fn all(
        tokenizers: &Tokenizers,
        options: &DiscriminationOptions,
    ) -> Result<Vec<Self>, DiscriminationError> {
        let Tokenizers { semantic, codec, device } = tokenizers;
        let with = |kind| Self { kind, tokenizer: semantic.clone(), device: device.clone() };
        let mfcc = mfcc(semantic, device);
        let mut all = vec![with(Kind::Mfccs(mfcc.clone()))];
        if let Some(clusters) = mfcc_clusters(&with(Kind::Mfccs(mfcc.clone())), options)? {
            all.push(with(Kind::MfccClusters(mfcc, clusters)));
        }
        if let Some(codec) = codec {
            let n_all = codec.quantizer().n_quantizers();
            let fewer = options.quantizers.iter().copied().filter(|it| (1..n_all).contains(it));
            all.extend(fewer.chain([n_all]).map(|n| with(Kind::Codes(codec.clone(), n))));
        }
        all.extend([with(Kind::Features), with(Kind::Tokens)]);
        Ok(all)
    }

    pub(super) fn name(&self) -> String {
        let clusters = self.tokenizer.clustering().n_clusters();
        match &self.kind {
            Kind::Mfccs(_) => "MFCC".to_owned(),
            Kind::MfccClusters(..) => format!("MFCC, {clusters} clusters"),
            Kind::Features => {
                format!("semantic features, layer {}", self.tokenizer.config().layers())
            }
            Kind::Tokens => format!("semantic tokens, {clusters} clusters"),
            Kind::Codes(_, 1) => "codec, 1 quantizer".to_owned(),
            Kind::Codes(_, n) => format!("codec, {n} quantizers"),
        }
    }

    /// The frames of a recording, as loud as the models hear it.
    pub(super) fn frames(&self, clip: &Clip, name: &str) -> Result<Frames, DiscriminationError> {
        let wave = self.heard(clip, name)?;
        let frames = self.of_wave(wave);
        let [_, _, width] = frames.dims();
        let values = frames.try_into_vec_as::<f32>().expect("features can be read back");
        Ok(Frames { values, width, per_second: self.frames_per_second() })
    }

    fn heard(&self, clip: &Clip, name: &str) -> Result<Tensor<2>, DiscriminationError> {
        let (sample_rate_hz, hop) = (self.rate_hz(), self.tokenizer.geometry().hop_samples);
        let Clip { samples, .. } = clip.resampled(sample_rate_hz)?;
        if samples.len() < hop {
            let (recording, found) = (name.to_owned(), samples.len());
            return Err(DiscriminationError::TooShort {
                recording,
                needed: hop,
                found,
                sample_rate_hz,
            });
        }
        let wave = Tensor::<1>::from_floats(&samples[..], &self.device) * clip.reference_gain();
        Ok(wave.unsqueeze())
    }

    /// `[1, samples]` to `[1, time, width]`
    fn of_wave(&self, wave: Tensor<2>) -> Tensor<3> {
        let padded = |it| self.tokenizer.geometry().pad(it);
        match &self.kind {
            Kind::Mfccs(mfcc) => mfcc.forward(padded(wave)),
            Kind::MfccClusters(mfcc, clusters) => clusters.quantized(mfcc.forward(padded(wave))),
            Kind::Features => self.tokenizer.clustering().normalised(self.tokenizer.features(wave)),
            Kind::Tokens => self.tokenizer.clustering().quantized(self.tokenizer.features(wave)),
            Kind::Codes(codec, n) => {
                let codes = codec.encode(wave.unsqueeze_dim(1)).slice_dim(1, ..*n);
                codec.quantizer().decode(codes)
            }
        }
    }

    fn rate_hz(&self) -> u32 {
        self.tokenizer.config().encoder.sample_rate_hz() as u32
    }

    fn frames_per_second(&self) -> f64 {
        f64::from(self.rate_hz()) / self.tokenizer.geometry().hop_samples as f64
    }
}

impl Frames {
    /// The frames of a span, where it has any.
    pub(super) fn item(&self, span: &LabelledSpan) -> Option<AbxItem> {
        let found = span.frames(self.per_second);
        let n_frames = self.values.len() / self.width;
        let (start, end) = (found.start.min(n_frames), found.end.min(n_frames));
        (start < end).then(|| AbxItem {
            category: span.phone.clone(),
            speaker: span.speaker.clone(),
            context: span.context.clone(),
            frames: self.values[start * self.width..end * self.width].to_vec(),
        })
    }
}

fn mfcc(tokenizer: &SemanticTokenizer, device: &Device) -> Mfcc {
    let config = MfccConfig::new().with_sample_rate_hz(tokenizer.config().encoder.sample_rate_hz());
    config.init(tokenizer.geometry(), device)
}

/// As many clusters as the tokenizer has, of MFCCs of the recordings to train on.
fn mfcc_clusters(
    mfccs: &Representation,
    options: &DiscriminationOptions,
) -> Result<Option<Clustering>, DiscriminationError> {
    let n_clusters = mfccs.tokenizer.clustering().n_clusters();
    let (mut points, mut n_points) = (Vec::new(), 0);
    for clip in &options.train {
        if n_points >= FRAMES_PER_CLUSTER * n_clusters {
            break;
        }
        let frames = mfccs.of_wave(mfccs.heard(clip, "a recording to train on")?);
        n_points += frames.dims()[1];
        points.push(frames.flatten::<2>(0, 1));
    }
    if n_points < n_clusters {
        return Ok(None);
    }
    let rng = &mut generator(options.seed, "mfcc clusters", 0);
    Ok(Some(Clustering::fit(Tensor::cat(points, 0), n_clusters, KMEANS_ITERATIONS, rng)))
}
