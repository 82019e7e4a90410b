//! The model card: Markdown with the metadata that Hugging Face reads, every figure in it read from
//! the files of the bundle, its run and its evaluation.

use std::fmt::Write;
use std::path::PathBuf;

use anyhow::Result;
use audiolm::codec::{CodecConfig, CodecKind};
use audiolm::evaluation::{CodecReport, ContinuationReport, Report, StageLikelihood};
use audiolm::pipeline::{Bundle, Part};
use audiolm::train::{Plan, Schedule, Stage};

use crate::commands::info::WeightsInfo;

/// What a card is made of.
pub(super) struct ModelCard<'a> {
    pub(super) bundle: &'a Bundle,
    pub(super) plan: &'a Plan,
    pub(super) report: Option<&'a Report>,
    pub(super) notes: Option<&'a str>,
    pub(super) license: Option<&'a str>,
    pub(super) curves: Curves<'a>,
}

/// Pictures, and the folder of the bundle that they are in.
pub(super) struct Curves<'a> {
    pub(super) folder: &'static str,
    pub(super) pictures: &'a [PathBuf],
}

/// How one stage was trained.
struct Lesson {
    stage: Stage,
    schedule: Schedule,
    batch: usize,
    crop_seconds: f64,
}

impl ModelCard<'_> {
    /// The text of README.md.
    pub(super) fn to_markdown(&self) -> Result<String> {
        let name = &self.bundle.manifest().name;
        let mut sections = vec![self.metadata(), format!("# {name}")];
        sections.extend(self.notes.map(|it| it.trim_end().to_owned()));
        sections.extend([self.parts()?, self.training()?]);
        sections.extend(self.report.map(measured));
        sections.push(self.shown_curves());
        Ok(sections.join("\n\n") + "\n")
    }

    fn metadata(&self) -> String {
        let license = self.license.map(|it| format!("license: {it}\n")).unwrap_or_default();
        format!(
            "---\n{license}library_name: audiolm\npipeline_tag: audio-to-audio\n\
             tags:\n- audio\n- audiolm\n- soundstream\n- hubert\n---"
        )
    }

    fn parts(&self) -> Result<String> {
        let mut text =
            "## Parts\n\n| Part | Parameters | Types | MB |\n|---|---|---|---|".to_owned();
        for part in self.bundle.manifest().parts.keys() {
            let file = self.bundle.folder().join(part.folder()).join("model.safetensors");
            let WeightsInfo { parameters, types, bytes, .. } = WeightsInfo::of_file(&file)?;
            let types: Vec<String> = types.into_iter().collect();
            let megabytes = bytes as f64 / 1e6;
            let types = types.join(", ");
            add(&mut text, &format!("| {part} | {parameters} | {types} | {megabytes:.2} |"));
        }
        Ok(text)
    }

    fn training(&self) -> Result<String> {
        let plan = self.plan;
        let codec =
            CodecConfig::load_from(&self.bundle.folder().join(Part::Codec.folder()))?.spec();
        let sets = match plan.data.sets.as_slice() {
            [] => "all sets".to_owned(),
            sets => format!("the sets {}", sets.join(", ")),
        };
        let mut text = format!(
            "## Training\n\nBy `audiolm train`, seed {}, on the training recordings of {sets}. \
             Features of layer {} of the semantic encoder make {} semantic tokens; codes are those \
             of {}, {} quantizers with {} entries each{}.\n\n\
             | Stage | Steps | Crops in a batch | Seconds of a crop | Highest learning rate |\n\
             |---|---|---|---|---|",
            plan.seed,
            plan.kmeans.layers(),
            plan.kmeans.n_clusters,
            match codec.kind {
                CodecKind::SoundStream => "SoundStream".to_owned(),
                published => format!("{published} as it was published"),
            },
            codec.n_quantizers,
            codec.codebook_size,
            match plan.fine.model.n_quantizers {
                all if all >= codec.n_quantizers => String::new(),
                used => format!(", of which the stages make the first {used}"),
            },
        );
        let has_parallel = self.bundle.manifest().parts.contains_key(&Part::Parallel);
        let is_trained = |it: &Lesson| match it.stage {
            Stage::Codec => codec.kind == CodecKind::SoundStream,
            Stage::Parallel => has_parallel,
            _ => true,
        };
        let lessons = lessons(plan).into_iter().filter(is_trained);
        for Lesson { stage, schedule, batch, crop_seconds } in lessons {
            let Schedule { steps, peak_learning_rate, .. } = schedule;
            let name = stage.name();
            let row =
                format!("| {name} | {steps} | {batch} | {crop_seconds} | {peak_learning_rate} |");
            add(&mut text, &row);
        }
        Ok(text)
    }

    fn shown_curves(&self) -> String {
        let mut text = "## Curves".to_owned();
        for picture in self.curves.pictures {
            let stage = picture.file_stem().unwrap_or_default().display();
            let link = format!("\n![Training of {stage}]({}/{stage}.png)", self.curves.folder);
            add(&mut text, &link);
        }
        text
    }
}

fn lessons(plan: &Plan) -> [Lesson; 6] {
    let (encoder, codec) = (&plan.semantic_encoder, &plan.codec);
    let seconds = |samples: usize, rate: usize| samples as f64 / rate as f64;
    let of = |stage, schedule, batch, crop_seconds| Lesson { stage, schedule, batch, crop_seconds };
    [
        of(
            Stage::SemanticEncoder,
            encoder.schedule,
            encoder.batch,
            seconds(encoder.crop_samples, encoder.encoder().sample_rate_hz()),
        ),
        of(
            Stage::Codec,
            codec.schedule,
            codec.batch,
            seconds(codec.crop_samples, codec.model.sample_rate_hz),
        ),
        of(
            Stage::Semantic,
            plan.semantic.schedule,
            plan.semantic.batch,
            plan.semantic.crop_seconds,
        ),
        of(Stage::Coarse, plan.coarse.schedule, plan.coarse.batch, plan.coarse.crop_seconds),
        of(Stage::Fine, plan.fine.schedule, plan.fine.batch, plan.fine.crop_seconds),
        of(
            Stage::Parallel,
            plan.parallel.schedule,
            plan.parallel.batch,
            plan.parallel.crop_seconds,
        ),
    ]
}

fn measured(report: &Report) -> String {
    let mut sections = vec![
        "## Held-out figures\n\nOf recordings that nothing was trained on; what they mean is in \
         `docs/evaluation.md` of audiolm."
            .to_owned(),
        codec(&report.codec),
        continuation(&report.continuation),
    ];
    if !report.likelihood.is_empty() {
        sections.push(likelihood(&report.likelihood));
    }
    sections.join("\n\n")
}

fn codec(report: &CodecReport) -> String {
    let mut text = format!(
        "Codec, on {} passages of {:.0} s together:\n\n\
         | Quantizers | STOI | SI-SDR, dB | log-mel |\n|---|---|---|---|",
        report.n_passages, report.seconds
    );
    for it in &report.rows {
        let (stoi, si_sdr, log_mel) = (it.stoi, it.si_sdr_db, it.log_mel_distance);
        add(&mut text, &format!("| {} | {stoi:.3} | {si_sdr:.2} | {log_mel:.3} |", it.quantizers));
    }
    text
}

fn continuation(report: &ContinuationReport) -> String {
    format!(
        "Continuation of prompts of {:.1} s by {:.1} s, seed {}: {} of {} sound most like their own \
         prompt, {} would by chance.",
        report.prompt_seconds,
        report.seconds,
        report.seed,
        report.n_own,
        report.speakers.len(),
        report.n_own_by_chance
    )
}

fn likelihood(stages: &[StageLikelihood]) -> String {
    let mut text = "Likelihood of held-out tokens, in nats per token:\n\n\
                    | Stage | Model | Bigram | Tokens |\n|---|---|---|---|"
        .to_owned();
    for it in stages {
        let (stage, it) = (it.stage, &it.likelihood);
        let (model, bigram) = (it.nats_per_token, it.bigram_nats_per_token);
        add(&mut text, &format!("| {stage} | {model:.3} | {bigram:.3} | {} |", it.n_tokens));
    }
    text
}

fn add(text: &mut String, line: &str) {
    write!(text, "\n{line}").expect("a string takes every line");
}
