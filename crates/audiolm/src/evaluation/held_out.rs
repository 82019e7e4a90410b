//! What of a corpus is measured.

use audiolm_audio::{AudioError, Clip};
use audiolm_data::Recording;

use super::HeldOutOptions;

/// The least length of a passage, in seconds: shorter recordings are joined, since STOI needs about
/// half a second that is not silent.
const MIN_PASSAGE_SECONDS: f64 = 3.0;
/// The greatest length of a passage, in seconds: of longer recordings the start is measured.
const MAX_PASSAGE_SECONDS: f64 = 30.0;
/// What is kept beyond the end of a prompt, so that resampling it does not take the end for a jump
/// to silence, in seconds.
const MARGIN_SECONDS: f64 = 0.1;

/// What is measured of one speaker; clips may be of any rate.
#[derive(Debug, Clone, PartialEq)]
pub struct HeldOut {
    /// Who is heard.
    pub speaker: String,
    /// What is sent through the codec.
    pub passages: Vec<Clip>,
    /// What is continued.
    pub prompt: Clip,
}

impl HeldOut {
    /// Reads what is needed of some recordings: of the first speakers, the first recordings as
    /// passages, and the first that is long enough as a prompt.
    ///
    /// Recordings that are too short are joined with those that follow. A speaker with less than
    /// one passage or prompt gives what there is.
    ///
    /// # Errors
    /// Where a recording cannot be read.
    pub fn read(
        recordings: &[&Recording],
        options: &HeldOutOptions,
    ) -> Result<Vec<Self>, AudioError> {
        let speakers = by_speaker(recordings).into_iter().take(options.n_speakers);
        speakers.map(|it| Self::of_speaker(&it, options)).collect()
    }

    fn of_speaker(recordings: &[&Recording], options: &HeldOutOptions) -> Result<Self, AudioError> {
        let passages = groups(recordings, MIN_PASSAGE_SECONDS).into_iter().take(options.n_passages);
        let prompt = prompt(recordings, options.prompt_seconds);
        Ok(Self {
            speaker: recordings.first().map(|it| it.speaker.clone()).unwrap_or_default(),
            passages: passages
                .map(|it| joined(&it, MAX_PASSAGE_SECONDS))
                .collect::<Result<_, _>>()?,
            prompt: joined(&prompt, options.prompt_seconds + MARGIN_SECONDS)?,
        })
    }
}

/// The recordings of each speaker, speakers and recordings in the order of the corpus.
fn by_speaker<'a>(recordings: &[&'a Recording]) -> Vec<Vec<&'a Recording>> {
    let mut speakers: Vec<Vec<&Recording>> = Vec::new();
    for &recording in recordings {
        match speakers.iter_mut().find(|it| it[0].speaker == recording.speaker) {
            Some(speaker) => speaker.push(recording),
            None => speakers.push(vec![recording]),
        }
    }
    speakers
}

/// Neighbours that last `seconds` together; all of them, where they do not.
fn groups<'a>(recordings: &[&'a Recording], seconds: f64) -> Vec<Vec<&'a Recording>> {
    let (mut groups, mut group) = (Vec::new(), Vec::new());
    for &recording in recordings {
        group.push(recording);
        if group.iter().map(|it| it.seconds).sum::<f64>() >= seconds {
            groups.push(std::mem::take(&mut group));
        }
    }
    if groups.is_empty() { vec![group] } else { groups }
}

/// The first recording that lasts `seconds`; where none does, the first group that does.
fn prompt<'a>(recordings: &[&'a Recording], seconds: f64) -> Vec<&'a Recording> {
    match recordings.iter().find(|it| it.seconds >= seconds) {
        Some(recording) => vec![recording],
        None => groups(recordings, seconds).swap_remove(0),
    }
}

/// The start of some recordings in a row, at the rate of the first.
fn joined(recordings: &[&Recording], seconds: f64) -> Result<Clip, AudioError> {
    let (first, others) = recordings.split_first().expect("groups are not empty");
    let mut clip = Clip::read(&first.path)?;
    for other in others {
        clip.samples.extend(Clip::read_at(&other.path, clip.sample_rate_hz)?.samples);
    }
    Ok(clip.excerpt(0.0, seconds))
}

#[cfg(test)]
mod tests {
    use super::*;
    use audiolm_data::Split;

    fn recording(speaker: &str, seconds: f64) -> Recording {
        Recording {
            path: "a.wav".into(),
            key: "a.wav".into(),
            seconds,
            speaker: speaker.into(),
            split: Split::Test,
            transcript: None,
            caption: None,
            set: String::new(),
        }
    }

    fn lengths(recordings: &[&Recording]) -> Vec<f64> {
        recordings.iter().map(|it| it.seconds).collect()
    }

    #[track_caller]
    fn check(seconds: &[f64], expected_groups: &[&[f64]], expected_prompt: &[f64]) {
        let recordings: Vec<_> = seconds.iter().map(|&it| recording("a", it)).collect();
        let recordings: Vec<_> = recordings.iter().collect();
        let groups = groups(&recordings, 3.0);
        assert_eq!(groups.iter().map(|it| lengths(it)).collect::<Vec<_>>(), expected_groups);
        assert_eq!(lengths(&prompt(&recordings, 3.0)), expected_prompt);
    }

    #[test]
    fn long_recordings_stand_alone() {
        check(&[4.0, 3.0, 5.0], &[&[4.0], &[3.0], &[5.0]], &[4.0]);
    }
    #[test]
    fn short_recordings_are_joined_with_the_next() {
        check(&[1.0, 1.5, 1.0, 9.0, 2.0], &[&[1.0, 1.5, 1.0], &[9.0]], &[9.0]);
        check(&[2.0, 2.0, 1.0], &[&[2.0, 2.0]], &[2.0, 2.0]);
    }
    #[test]
    fn too_little_is_taken_as_a_whole() {
        check(&[1.0, 0.5], &[&[1.0, 0.5]], &[1.0, 0.5]);
    }
    #[test]
    fn recordings_of_a_speaker_come_together() {
        let recordings = [recording("b", 1.0), recording("a", 2.0), recording("b", 3.0)];
        let speakers = by_speaker(&recordings.iter().collect::<Vec<_>>());
        assert_eq!(
            speakers.iter().map(|it| lengths(it)).collect::<Vec<_>>(),
            [vec![1.0, 3.0], vec![2.0]]
        );
    }
}
