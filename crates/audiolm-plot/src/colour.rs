//! The colours of the house.

use tiny_skia::Color;

/// Colours of series, in order: apart in hue and in lightness, on white.
const SERIES: [[u8; 3]; 8] = [
    [46, 103, 178],
    [214, 84, 64],
    [58, 148, 93],
    [230, 155, 41],
    [130, 88, 166],
    [54, 161, 178],
    [194, 94, 145],
    [120, 110, 98],
];

/// Every sixteenth of matplotlib's `magma` (CC0), which grows evenly in perceived lightness.
const MAGMA: [[u8; 3]; 17] = [
    [0, 0, 4],
    [10, 8, 34],
    [29, 17, 71],
    [54, 16, 107],
    [81, 18, 124],
    [106, 28, 129],
    [131, 38, 129],
    [156, 46, 127],
    [183, 55, 121],
    [208, 65, 111],
    [231, 82, 99],
    [245, 107, 92],
    [252, 137, 97],
    [254, 167, 114],
    [254, 196, 136],
    [253, 226, 163],
    [252, 253, 191],
];

/// How many series have a colour of their own; after them colours repeat, dashed.
pub(crate) const N_SERIES: usize = SERIES.len();

/// Titles.
pub(crate) fn ink() -> Color {
    rgb([31, 36, 43])
}

/// Labels and tick labels.
pub(crate) fn quiet_ink() -> Color {
    rgb([92, 100, 112])
}

/// Grid lines.
pub(crate) fn grid() -> Color {
    rgb([232, 234, 238])
}

/// The lines that bound a plot.
pub(crate) fn axis() -> Color {
    rgb([150, 156, 166])
}

/// Where there is no clip.
pub(crate) fn absent() -> [u8; 3] {
    [246, 247, 249]
}

/// The colour of a series by its position.
pub(crate) fn series(idx: usize) -> Color {
    rgb(SERIES[idx % N_SERIES])
}

/// The colour of a magnitude from 0 to 1.
pub(crate) fn magma(value: f32) -> [u8; 3] {
    let position = value.clamp(0.0, 1.0) * (MAGMA.len() - 1) as f32;
    let below = (position as usize).min(MAGMA.len() - 2);
    let share = position - below as f32;
    let mix = |i: usize| {
        let (low, high) = (f32::from(MAGMA[below][i]), f32::from(MAGMA[below + 1][i]));
        (low + share * (high - low)).round() as u8
    };
    [mix(0), mix(1), mix(2)]
}

pub(crate) fn rgb([red, green, blue]: [u8; 3]) -> Color {
    Color::from_rgba8(red, green, blue, 255)
}

/// The same colour, let through by `opacity` from 0 to 1.
pub(crate) fn faint(mut colour: Color, opacity: f32) -> Color {
    colour.set_alpha(opacity);
    colour
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check_magma(value: f32, expected: [u8; 3]) {
        assert_eq!(magma(value), expected);
    }

    #[test]
    fn silence_is_black() {
        check_magma(-0.5, [0, 0, 4]);
    }
    #[test]
    fn the_loudest_is_pale_yellow() {
        check_magma(1.5, [252, 253, 191]);
    }
    #[test]
    fn colours_between_are_mixed() {
        check_magma(1.0 / 32.0, [5, 4, 19]);
    }
}
