//! Embeddings that sound and text share.

use std::fmt::Debug;

use crate::{Conditioner, Description, TextError};

/// A model that puts a sound near the texts that describe it, as MuLan and CLAP do. None comes with
/// audiolm: this is where one is plugged in.
pub trait JointEmbedding: Debug + Send + Sync {
    /// Features of an embedding.
    fn width(&self) -> usize;

    /// Where a text lies: `width` numbers.
    ///
    /// # Errors
    /// Where the model cannot embed it; [`TextError::Embedding`] says why in its own words.
    fn of_text(&self, text: &str) -> Result<Vec<f32>, TextError>;

    /// Where a sound of one channel lies: `width` numbers.
    ///
    /// # Errors
    /// As [`of_text`](Self::of_text).
    fn of_sound(&self, samples: &[f32], rate_hz: u32) -> Result<Vec<f32>, TextError>;
}

/// Conditioning on a joint embedding, as in MusicLM (Agostinelli et al. 2023, arXiv 2301.11325,
/// section 3.2): a stage learns from the embeddings of recordings, so that it needs no captions, and
/// is then asked for something by the embedding of a text.
///
/// MusicLM quantizes the embedding to 12 tokens, which each have a place in a learnt table. Here it
/// is one vector as it is: the stage's own map from it is learnt as well.
#[derive(Debug, Clone)]
pub struct Joint<E>(pub E);

impl<E: JointEmbedding> Conditioner for Joint<E> {
    fn width(&self) -> usize {
        self.0.width()
    }

    fn vectors(&self, description: &Description<'_>) -> Result<Vec<f32>, TextError> {
        match description {
            Description::Text(text) => self.0.of_text(text),
            Description::Sound { samples, rate_hz } => self.0.of_sound(samples, *rate_hz),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Puts a loud sound near "loud", and a soft one near "soft".
    #[derive(Debug)]
    struct Loudness;

    impl JointEmbedding for Loudness {
        fn width(&self) -> usize {
            2
        }

        fn of_text(&self, text: &str) -> Result<Vec<f32>, TextError> {
            match text {
                "loud" => Ok(vec![1.0, 0.0]),
                "soft" => Ok(vec![0.0, 1.0]),
                other => Err(TextError::Embedding { reason: format!("`{other}` means nothing") }),
            }
        }

        fn of_sound(&self, samples: &[f32], _: u32) -> Result<Vec<f32>, TextError> {
            let loudest = samples.iter().fold(0.0f32, |it, sample| it.max(sample.abs()));
            Ok(vec![loudest, 1.0 - loudest])
        }
    }

    #[test]
    fn a_sound_and_what_describes_it_are_alike() {
        let conditioner: &dyn Conditioner = &Joint(Loudness);
        let sound = Description::Sound { samples: &[0.1, -0.9], rate_hz: 16_000 };
        let vectors = |it: &Description| conditioner.vectors(it).unwrap();
        let dot = |a: Vec<f32>, b: Vec<f32>| a.iter().zip(b).map(|(a, b)| a * b).sum::<f32>();
        let [loud, soft] = ["loud", "soft"].map(|it| vectors(&Description::Text(it)));
        assert!(dot(vectors(&sound), loud) > dot(vectors(&sound), soft));
    }

    #[test]
    fn the_provider_says_what_it_cannot_embed() {
        let error = Joint(Loudness).vectors(&Description::Text("square")).unwrap_err().to_string();
        assert!(error.contains("`square` means nothing"), "{error}");
    }
}
