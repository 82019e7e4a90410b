//! Whether the settings of a plan describe a run: each by itself, and each beside the others.

use audiolm_semantic::SemanticError;

use crate::{
    ConditionSettings, ConditionerKind, KmeansMethod, Plan, StageSettings, Told, TrainError,
};

/// Samples that the longest window of the reconstruction loss needs.
const LONGEST_LOSS_WINDOW: usize = 2048;

impl Plan {
    /// Names the first setting that no run can have.
    ///
    /// # Errors
    /// Where a number is out of its range, or two stages would not fit one another.
    pub fn check(&self) -> Result<(), TrainError> {
        self.check_codec()?;
        self.check_codec_fit()?;
        self.check_without_codec()
    }

    /// The same for a run that has taken a codec as it is, whatever the plan says of one.
    ///
    /// # Errors
    /// As [`check`](Self::check).
    pub(crate) fn check_without_codec(&self) -> Result<(), TrainError> {
        self.check_sizes()?;
        self.check_clusters()?;
        self.check_fit()
    }

    fn check_sizes(&self) -> Result<(), TrainError> {
        at_least("semantic_encoder.batch", 1, self.semantic_encoder.batch)?;
        at_least("semantic_encoder.n_targets", 2, self.semantic_encoder.n_targets)?;
        self.check_w2v_bert()?;
        self.check_transcription()?;
        at_least("codec.batch", 1, self.codec.batch)?;
        self.condition.as_ref().map_or(Ok(()), check_condition)?;
        check_stage("semantic", &self.semantic)?;
        check_stage("coarse", &self.coarse.stage())?;
        let share = self.coarse.semantic_dropout;
        let bounds = || "a share from 0 to 1".to_owned();
        require((0.0..=1.0).contains(&share), "coarse.semantic_dropout", bounds, share)?;
        check_stage("fine", &self.fine)
    }

    /// Whether a batch of w2v-BERT's has frames to tell from one another, and nothing is asked for
    /// that is HuBERT's.
    fn check_w2v_bert(&self) -> Result<(), TrainError> {
        let encoder = &self.semantic_encoder;
        let Some(w2v_bert) = &encoder.w2v_bert else { return Ok(()) };
        w2v_bert.validate().map_err(SemanticError::from)?;
        let span = w2v_bert.masking.span_frames;
        at_least("semantic_encoder.w2v_bert.masking.span_frames", 2, span)?;
        let none = || "nothing beside semantic_encoder.w2v_bert".to_owned();
        let found = encoder.targets_from.display();
        require(encoder.targets_from().is_none(), "semantic_encoder.targets_from", none, found)?;
        let crop = 2 * w2v_bert.encoder.geometry().hop_samples;
        at_least("semantic_encoder.crop_samples", crop, encoder.crop_samples)
    }

    /// Whether transcripts teach an encoder that is one, and nothing else is asked for.
    fn check_transcription(&self) -> Result<(), TrainError> {
        let encoder = &self.semantic_encoder;
        let Some(transcription) = &encoder.transcription else { return Ok(()) };
        transcription.model.validate().map_err(SemanticError::from)?;
        let none = || "nothing beside semantic_encoder.transcription".to_owned();
        let alone = encoder.w2v_bert.is_none();
        require(alone, "semantic_encoder.w2v_bert", none, "a table")?;
        let found = encoder.targets_from.display();
        require(encoder.targets_from().is_none(), "semantic_encoder.targets_from", none, found)?;
        let setting = |name: &str| format!("semantic_encoder.transcription.{name}");
        let seconds = transcription.batch_seconds;
        let positive = || "a number above 0".to_owned();
        require(seconds > 0.0, &setting("batch_seconds"), positive, seconds)?;
        at_least(&setting("lengths"), 1, transcription.lengths)?;
        let voices = &transcription.voices;
        let share = || "a share from 0 to 1".to_owned();
        for (name, found) in [
            ("voices.speed", voices.speed),
            ("voices.narrow_share", voices.narrow_share),
            ("voices.noise_share", voices.noise_share),
            ("model.middle_share", transcription.model.middle_share),
        ] {
            require((0.0..=1.0).contains(&found), &setting(name), share, found)?;
        }
        for (name, found) in [
            ("voices.equaliser_db", voices.equaliser_db),
            ("voices.silence_seconds", voices.silence_seconds),
        ] {
            let bounds = || "a number from 0 on".to_owned();
            require((0.0..f64::INFINITY).contains(&found), &setting(name), bounds, found)?;
        }
        let (narrow_hz, half) =
            (voices.narrow_hz, transcription.model.encoder.sample_rate_hz() / 2);
        let below = || format!("above 0, and at most {half}");
        let fits = narrow_hz > 0.0 && narrow_hz <= half as f64;
        require(fits, &setting("voices.narrow_hz"), below, narrow_hz)
    }

    fn check_codec(&self) -> Result<(), TrainError> {
        let (hop, crop) = (self.codec.model.hop_samples(), self.codec.crop_samples);
        at_least("codec.crop_samples", LONGEST_LOSS_WINDOW, crop)?;
        let of_frames = || format!("a multiple of the {hop} samples of a frame");
        require(crop.is_multiple_of(hop.max(1)), "codec.crop_samples", of_frames, crop)
    }

    fn check_clusters(&self) -> Result<(), TrainError> {
        let (encoder, kmeans) = (self.semantic_encoder.encoder(), &self.kmeans);
        let layers = || format!("at most the encoder's {} layers", encoder.n_layers());
        require(kmeans.layer <= encoder.n_layers(), "kmeans.layer", layers, kmeans.layer)?;
        let below = || format!("layers below layer {}", kmeans.layer);
        for beside in &kmeans.beside {
            require(*beside < kmeans.layer, "kmeans.beside", below, beside)?;
        }
        at_least("kmeans.n_clusters", 2, kmeans.n_clusters)?;
        at_least("kmeans.frames_per_id", 1, kmeans.frames_per_id)?;
        at_least("kmeans.frames", kmeans.n_clusters, kmeans.frames)?;
        if kmeans.method == KmeansMethod::MiniBatch {
            at_least("kmeans.iterations", 1, kmeans.iterations)?;
            at_least("kmeans.batch_frames", 1, kmeans.batch_frames)?;
        }
        let hop = encoder.geometry().hop_samples;
        at_least("kmeans.crop_samples", hop, kmeans.crop_samples)?;
        at_least("semantic_encoder.crop_samples", hop, self.semantic_encoder.crop_samples)
    }

    /// Whether the stage in place of the second and the third fits them; asked only of runs that train
    /// it.
    ///
    /// # Errors
    /// As [`check`](Self::check).
    pub(crate) fn check_parallel(&self) -> Result<(), TrainError> {
        check_stage("parallel", &self.parallel)?;
        let (parallel, fine) = (&self.parallel.model, &self.fine.model);
        same(
            ("kmeans.n_clusters", self.kmeans.n_clusters),
            ("parallel.model.n_semantic_ids", parallel.n_semantic_ids),
        )?;
        same(
            ("fine.model.n_quantizers", fine.n_quantizers),
            ("parallel.model.n_quantizers", parallel.n_quantizers),
        )?;
        same(
            ("fine.model.codebook_size", fine.codebook_size),
            ("parallel.model.codebook_size", parallel.codebook_size),
        )
    }

    /// What a bundle would otherwise refuse once everything is trained, of the codec.
    fn check_codec_fit(&self) -> Result<(), TrainError> {
        let (encoder, codec) = (self.semantic_encoder.encoder(), &self.codec.model);
        let hop = encoder.geometry().hop_samples;
        let codes = ("codec.model.quantizer.codebook_size", codec.quantizer.codebook_size());
        let available = codec.quantizer.n_quantizers();
        let as_many = || format!("at most {available}, as codec.model.quantizer.n_quantizers");
        let used = self.fine.model.n_quantizers;
        same(
            ("codec.model.sample_rate_hz", codec.sample_rate_hz),
            ("the sample rate of the semantic encoder", encoder.sample_rate_hz()),
        )?;
        same(
            ("the product of codec.model.strides", codec.hop_samples()),
            ("the samples of a frame of the semantic encoder", hop),
        )?;
        same(codes, ("coarse.model.codebook_size", self.coarse.model.codebook_size))?;
        same(codes, ("fine.model.codebook_size", self.fine.model.codebook_size))?;
        require(used <= available, "fine.model.n_quantizers", as_many, used)
    }

    /// The same of the stages alone.
    fn check_fit(&self) -> Result<(), TrainError> {
        let (coarse, fine) = (&self.coarse.model, &self.fine.model);
        let clusters = ("kmeans.n_clusters", self.kmeans.n_clusters);
        same(clusters, ("semantic.model.n_ids", self.semantic.model.n_ids))?;
        same(clusters, ("coarse.model.n_semantic_ids", coarse.n_semantic_ids))?;
        same(
            ("coarse.model.n_quantizers", coarse.n_quantizers),
            ("fine.model.n_coarse", fine.n_coarse),
        )
    }
}

fn check_stage<C>(stage: &str, settings: &StageSettings<C>) -> Result<(), TrainError> {
    at_least(&format!("{stage}.batch"), 1, settings.batch)?;
    let seconds = settings.crop_seconds;
    let positive = || "a positive number of seconds".to_owned();
    let holds = seconds.is_finite() && seconds > 0.0;
    require(holds, &format!("{stage}.crop_seconds"), positive, seconds)
}

/// Whether what is told is in a form that the conditioner takes.
fn check_condition(settings: &ConditionSettings) -> Result<(), TrainError> {
    let ConditionSettings { of, conditioner, t5, dropout, stages, .. } = settings;
    let some = || "semantic, coarse or both".to_owned();
    require(!stages.is_empty(), "condition.stages", some, "none")?;
    let share = || "at least 0 and below 1".to_owned();
    require((0.0..1.0).contains(dropout), "condition.dropout", share, dropout)?;
    let is_named = *conditioner != ConditionerKind::T5 || !t5.is_empty();
    let name = || "a folder, or a name on Hugging Face".to_owned();
    require(is_named, "condition.t5", name, "nothing")?;
    let hears = *of != Told::Sound || *conditioner == ConditionerKind::Provided;
    let text = || "provided, as condition.of is sound".to_owned();
    require(hears, "condition.conditioner", text, format!("{conditioner:?}").to_lowercase())
}

fn at_least(setting: &str, least: usize, found: usize) -> Result<(), TrainError> {
    require(found >= least, setting, || format!("at least {least}"), found)
}

/// Refuses two different statements about one quantity.
fn same((one, expected): (&str, usize), (other, found): (&str, usize)) -> Result<(), TrainError> {
    require(expected == found, other, || format!("{expected}, as {one}"), found)
}

/// Names a setting, and what was expected of it, unless that holds.
pub(crate) fn require(
    holds: bool,
    setting: &str,
    expected: impl FnOnce() -> String,
    found: impl ToString,
) -> Result<(), TrainError> {
    match holds {
        true => Ok(()),
        false => Err(TrainError::Setting {
            setting: setting.to_owned(),
            expected: expected(),
            found: found.to_string(),
        }),
    }
}

#[cfg(test)]
mod tests {
    use crate::{ConditionSettings, ConditionerKind, Plan, Preset, Told};

    #[track_caller]
    fn check(change: impl FnOnce(&mut Plan), expected: &str) {
        let mut plan = Plan::preset(Preset::Smoke);
        change(&mut plan);
        assert_eq!(plan.check().unwrap_err().to_string(), expected);
    }

    #[test]
    fn presets_describe_runs() {
        for preset in Preset::ALL {
            Plan::preset(preset).check().unwrap();
            Plan::preset(preset).check_parallel().unwrap();
        }
    }

    #[test]
    fn batches_and_crops_hold_something() {
        check(|it| it.codec.batch = 0, "codec.batch: expected at least 1, found 0");
        check(|it| it.fine.batch = 0, "fine.batch: expected at least 1, found 0");
        check(
            |it| it.coarse.crop_seconds = f64::NAN,
            "coarse.crop_seconds: expected a positive number of seconds, found NaN",
        );
        check(
            |it| it.coarse.semantic_dropout = 1.5,
            "coarse.semantic_dropout: expected a share from 0 to 1, found 1.5",
        );
        check(
            |it| it.codec.crop_samples = 3_201,
            "codec.crop_samples: expected a multiple of the 320 samples of a frame, found 3201",
        );
        check(
            |it| it.codec.crop_samples = 1_600,
            "codec.crop_samples: expected at least 2048, found 1600",
        );
    }

    #[test]
    fn clusters_have_a_layer_and_frames() {
        check(
            |it| it.kmeans.beside = vec![0, 1],
            "kmeans.beside: expected layers below layer 1, found 1",
        );
        check(
            |it| it.kmeans.layer = 3,
            "kmeans.layer: expected at most the encoder's 2 layers, found 3",
        );
        check(
            |it| it.kmeans.frames_per_id = 0,
            "kmeans.frames_per_id: expected at least 1, found 0",
        );
        check(|it| it.kmeans.frames = 7, "kmeans.frames: expected at least 8, found 7");
    }

    #[track_caller]
    fn check_told(change: impl FnOnce(&mut ConditionSettings), expected: &str) {
        let mut settings = ConditionSettings::default();
        change(&mut settings);
        check(|it| it.condition = Some(settings), expected);
    }

    #[test]
    fn what_is_told_has_a_form_that_is_taken() {
        check_told(
            |it| it.stages.clear(),
            "condition.stages: expected semantic, coarse or both, found none",
        );
        check_told(
            |it| it.dropout = 1.0,
            "condition.dropout: expected at least 0 and below 1, found 1",
        );
        check_told(
            |it| it.conditioner = ConditionerKind::T5,
            "condition.t5: expected a folder, or a name on Hugging Face, found nothing",
        );
        check_told(
            |it| it.of = Told::Sound,
            "condition.conditioner: expected provided, as condition.of is sound, found characters",
        );
    }

    #[test]
    fn stages_fit_one_another() {
        check(
            |it| it.fine.model.n_quantizers = 8,
            "fine.model.n_quantizers: expected at most 4, as codec.model.quantizer.n_quantizers, \
             found 8",
        );
        check(
            |it| it.codec.model.quantizer = audiolm_codec::QuantizerConfig::residual(4, 32),
            "coarse.model.codebook_size: expected 32, as codec.model.quantizer.codebook_size, \
             found 16",
        );
        check(
            |it| it.kmeans.n_clusters = 9,
            "semantic.model.n_ids: expected 9, as kmeans.n_clusters, found 8",
        );
        check(
            |it| it.coarse.model.n_quantizers = 3,
            "fine.model.n_coarse: expected 3, as coarse.model.n_quantizers, found 2",
        );
    }

    #[test]
    fn a_parallel_stage_fits_only_where_it_is_trained() {
        let mut plan = Plan::preset(Preset::Smoke);
        plan.parallel.model.n_quantizers = 3;
        plan.check().unwrap();
        let expected =
            "parallel.model.n_quantizers: expected 4, as fine.model.n_quantizers, found 3";
        assert_eq!(plan.check_parallel().unwrap_err().to_string(), expected);
    }
}
