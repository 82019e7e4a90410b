//! What the windows of a wave are like on average.

/// Mean and covariance of all windows of a wave.
#[derive(Debug, Clone)]
pub(crate) struct WindowMoments {
    mean: Vec<f64>,
    /// `[width, width]`, row by row
    covariance: Vec<f64>,
}

/// Mean and variance of something over time.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Moments {
    pub(crate) mean: f64,
    pub(crate) variance: f64,
}

impl WindowMoments {
    /// Of the windows of this width, one each `stride` samples.
    pub(crate) fn of(wave: &[f32], [width, stride]: [usize; 2]) -> Self {
        let windows = || wave.windows(width).step_by(stride);
        let n = windows().count() as f64;
        let mut mean = vec![0.0; width];
        for window in windows() {
            mean.iter_mut().zip(window).for_each(|(sum, it)| *sum += f64::from(*it));
        }
        mean.iter_mut().for_each(|it| *it /= n);

        let mut covariance = vec![0.0; width * width];
        let mut above = vec![0.0; width];
        for window in windows() {
            let numbers = above.iter_mut().zip(window.iter().zip(&mean));
            numbers.for_each(|(above, (it, mean))| *above = f64::from(*it) - mean);
            for (row, factor) in covariance.chunks_exact_mut(width).zip(&above) {
                row.iter_mut().zip(&above).for_each(|(sum, it)| *sum += factor * it);
            }
        }
        covariance.iter_mut().for_each(|it| *it /= n);
        Self { mean, covariance }
    }

    /// Of what a filter of these taps makes of the windows.
    pub(crate) fn of_filter(&self, taps: &[f32]) -> Moments {
        let dot = |numbers: &[f64]| -> f64 {
            numbers.iter().zip(taps).map(|(it, tap)| it * f64::from(*tap)).sum()
        };
        let rows = self.covariance.chunks_exact(taps.len()).map(dot);
        let variance: f64 = rows.zip(taps).map(|(row, tap)| row * f64::from(*tap)).sum();
        Moments { mean: dot(&self.mean), variance: variance.max(0.0) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Rounding of single precision in what is compared.
    const ROUNDING: f64 = 1e-6;

    #[test]
    fn a_filter_gives_what_its_outputs_show() {
        let wave: Vec<f32> = (0..997).map(|it| (it as f32 * 0.7).sin() + 0.3).collect();
        let taps = [0.5_f32, -0.25, 1.0, 0.75];
        let outputs: Vec<f64> = wave
            .windows(taps.len())
            .step_by(3)
            .map(|it| it.iter().zip(&taps).map(|(x, tap)| f64::from(x * tap)).sum())
            .collect();
        let n = outputs.len() as f64;
        let mean = outputs.iter().sum::<f64>() / n;
        let variance = outputs.iter().map(|it| (it - mean).powi(2)).sum::<f64>() / n;
        let found = WindowMoments::of(&wave, [taps.len(), 3]).of_filter(&taps);
        assert!((found.mean - mean).abs() < ROUNDING, "{found:?}, not {mean}");
        assert!((found.variance - variance).abs() < ROUNDING, "{found:?}, not {variance}");
    }
}
