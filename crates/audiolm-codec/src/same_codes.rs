//! Whether two codecs make the same codes.

use burn::module::{Module, ModuleVisitor, Param};
use burn::prelude::*;

use crate::SoundStream;

impl SoundStream {
    /// Whether what makes codes, encoder and quantizer, is that of `other` to the bit: then either
    /// decodes the codes of the other.
    pub fn makes_codes_of(&self, other: &Self) -> bool {
        makers(self) == makers(other)
    }
}

/// Every number that codes depend on.
fn makers(codec: &SoundStream) -> Vec<TensorData> {
    let mut numbers = Numbers::default();
    codec.encoder().visit(&mut numbers);
    codec.quantizer().visit(&mut numbers);
    numbers.0
}

#[derive(Default)]
struct Numbers(Vec<TensorData>);

impl ModuleVisitor for Numbers {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        self.0.push(param.val().into_data());
    }
}

#[cfg(test)]
mod tests {
    use crate::{QuantizerConfig, SoundStreamConfig};
    use burn::prelude::*;

    #[test]
    fn a_decoder_makes_no_codes_and_an_encoder_does() {
        let device = Device::default();
        let config = SoundStreamConfig {
            encoder_channels: 2,
            decoder_channels: 2,
            dimension: 8,
            quantizer: QuantizerConfig::residual(2, 4),
            ..SoundStreamConfig::tiny_16khz()
        };
        let (one, other) = (config.init(&device).unwrap(), config.init(&device).unwrap());
        let wider = SoundStreamConfig { decoder_channels: 4, ..config };
        let wider = wider.init(&device).unwrap().with_codes_of(one.clone());
        assert!(wider.makes_codes_of(&one) && one.makes_codes_of(&wider));
        assert!(!other.makes_codes_of(&one));
    }
}
