//! Compressed recordings, decoded through symphonia.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

use symphonia::core::codecs::CodecParameters;
use symphonia::core::codecs::audio::{AudioDecoder, AudioDecoderOptions};
use symphonia::core::errors::Error;
use symphonia::core::formats::probe::Hint;
use symphonia::core::formats::{FormatReader, Track, TrackType};
use symphonia::core::io::MediaSourceStream;
use symphonia::core::packet::Packet;

use crate::untagged::Untagged;
use crate::{AudioError, AudioFormat, ClipInfo, mono};

/// Length, rate and channels: from the header where it states the length, else by decoding.
pub(crate) fn probe(path: &Path, file: File, format: AudioFormat) -> Result<ClipInfo, AudioError> {
    let mut stream = CompressedBlocks::open(path, file, format)?;
    let stated = stream.promised.filter(|_| stream.channels > 0 && stream.sample_rate_hz > 0);
    let length = match stated {
        Some(length) => length,
        None => {
            while stream.decoded()?.is_some() {}
            stream.n_decoded
        }
    };
    if length == 0 {
        return Err(AudioError::NoAudio { path: path.into(), format });
    }
    crate::clip::check_rate(path, stream.sample_rate_hz)?;
    Ok(ClipInfo {
        seconds: length as f64 / f64::from(stream.sample_rate_hz),
        sample_rate_hz: stream.sample_rate_hz,
        channels: stream.channels,
    })
}

/// The audio track of a file, mixed to mono, packet by packet.
pub(crate) struct CompressedBlocks {
    path: PathBuf,
    format: AudioFormat,
    reader: Box<dyn FormatReader>,
    decoder: Box<dyn AudioDecoder>,
    track_id: u32,
    /// Samples per channel, where the container states them.
    promised: Option<u64>,
    /// 0 until it is known.
    sample_rate_hz: u32,
    /// 0 until it is known.
    channels: u16,
    /// Samples per channel that have been decoded so far.
    n_decoded: u64,
    is_begun: bool,
    is_complete: bool,
    /// What had to be decoded to know the rate.
    first: Option<Vec<f32>>,
}

impl CompressedBlocks {
    /// Decodes until the rate is known.
    pub(crate) fn new(path: &Path, file: File, format: AudioFormat) -> Result<Self, AudioError> {
        let mut blocks = Self::open(path, file, format)?;
        blocks.first = blocks.decoded()?;
        match blocks.first {
            Some(_) => Ok(blocks),
            None => Err(AudioError::NoAudio { path: path.into(), format }),
        }
    }

    pub(crate) fn sample_rate_hz(&self) -> u32 {
        self.sample_rate_hz
    }

    /// None after the last sample.
    pub(crate) fn next_block(&mut self) -> Result<Option<Vec<f32>>, AudioError> {
        match self.first.take() {
            Some(block) => Ok(Some(block)),
            None => self.decoded(),
        }
    }

    fn open(path: &Path, file: File, format: AudioFormat) -> Result<Self, AudioError> {
        let file = Untagged::new(file)
            .map_err(|source| AudioError::Unreadable { path: path.into(), source })?;
        let source = MediaSourceStream::new(Box::new(file), Default::default());
        let reader = symphonia::default::get_probe()
            .probe(&Hint::new(), source, Default::default(), Default::default())
            .map_err(|source| failed(path, format, 0, source))?;
        let unsupported =
            |source| AudioError::UnsupportedCoding { path: path.into(), format, source };
        let track = reader.default_track(TrackType::Audio).ok_or_else(|| unsupported(None))?;
        let Some(CodecParameters::Audio(parameters)) = &track.codec_params else {
            return Err(unsupported(None));
        };
        let decoder = symphonia::default::get_codecs()
            .make_audio_decoder(parameters, &AudioDecoderOptions::default().verify(true))
            .map_err(|source| unsupported(Some(source)))?;
        Ok(Self {
            path: path.into(),
            format,
            track_id: track.id,
            promised: stated_length(format, track),
            sample_rate_hz: parameters.sample_rate.unwrap_or(0),
            channels: parameters.channels.as_ref().map_or(0, |it| it.count() as u16),
            n_decoded: 0,
            is_begun: false,
            is_complete: false,
            first: None,
            reader,
            decoder,
        })
    }

    /// The samples of the next packet that holds some; none after the last, once the whole is
    /// known to be complete.
    fn decoded(&mut self) -> Result<Option<Vec<f32>>, AudioError> {
        while !self.is_complete {
            let Some(packet) = self.next_packet()? else {
                self.is_complete = true;
                return self.check_complete().map(|()| None);
            };
            let samples = self.mixed(&packet)?;
            self.n_decoded += samples.len() as u64;
            if !samples.is_empty() {
                return Ok(Some(samples));
            }
        }
        Ok(None)
    }

    fn mixed(&mut self, packet: &Packet) -> Result<Vec<f32>, AudioError> {
        let audio = self
            .decoder
            .decode(packet)
            .map_err(|source| failed(&self.path, self.format, self.n_decoded, source))?;
        let (later_hz, n_channels) = (audio.spec().rate(), audio.spec().channels().count());
        if n_channels == 0 {
            return Err(AudioError::ZeroChannels { path: self.path.clone() });
        }
        if !self.is_begun {
            (self.sample_rate_hz, self.channels) = (later_hz, n_channels as u16);
            self.is_begun = true;
        }
        if self.sample_rate_hz != later_hz {
            let (path, first_hz) = (self.path.clone(), self.sample_rate_hz);
            return Err(AudioError::RateChanges { path, first_hz, later_hz });
        }
        let (mut interleaved, mut samples) = (Vec::new(), Vec::new());
        audio.copy_to_vec_interleaved(&mut interleaved);
        mono::mix_into(&mut samples, &interleaved, n_channels);
        Ok(samples)
    }

    /// The next packet of the audio track; other tracks are passed over.
    fn next_packet(&mut self) -> Result<Option<Packet>, AudioError> {
        loop {
            let packet = self
                .reader
                .next_packet()
                .map_err(|source| failed(&self.path, self.format, self.n_decoded, source))?;
            match packet {
                Some(it) if it.track_id != self.track_id => {}
                other => return Ok(other),
            }
        }
    }

    fn check_complete(&mut self) -> Result<(), AudioError> {
        let found = self.n_decoded;
        match self.promised {
            Some(promised) if found < promised => {
                Err(AudioError::Truncated { path: self.path.clone(), promised, found })
            }
            _ if self.decoder.finalize().verify_ok == Some(false) => {
                Err(AudioError::Checksum { path: self.path.clone(), format: self.format })
            }
            _ => Ok(()),
        }
    }
}

/// Samples per channel where the container states them; an estimate from the bit rate does not count.
fn stated_length(format: AudioFormat, track: &Track) -> Option<u64> {
    match format {
        AudioFormat::Adts => None,
        // Without the delay of a LAME tag, the length may be an estimate.
        AudioFormat::Mp3 if track.delay.is_none() => None,
        _ => track.num_frames,
    }
}

fn failed(path: &Path, format: AudioFormat, found: u64, source: Error) -> AudioError {
    let path = path.into();
    match source {
        Error::IoError(it) if it.kind() == io::ErrorKind::UnexpectedEof => {
            AudioError::BreaksOff { path, format, found }
        }
        Error::IoError(source) => AudioError::Unreadable { path, source },
        Error::ResetRequired => AudioError::SeveralStreams { path, format, found },
        Error::Unsupported(_) => {
            AudioError::UnsupportedCoding { path, format, source: Some(source) }
        }
        source => AudioError::Decode { path, format, found, source },
    }
}
