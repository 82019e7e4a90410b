//! Sums of scaled vectors, and products of vectors: what a product of few rows with a matrix is made
//! of, whichever way the matrix lies in memory.
//!
//! Such a product reads each number of the matrix once, so it is as fast as memory gives them away.
//! A core gets them fastest from several places at once, each read onwards: eight vectors are read
//! side by side, which for sums lie an eighth of the matrix apart.
//!
//! What becomes of one row never depends on how many there are: each sum is taken in the same order.

use pulp::{Simd, WithSimd};

/// Vectors that are read side by side.
const ABREAST: usize = 8;
/// Numbers of a vector that are added at a time: as many as make a few of the widest registers.
const LANES: usize = 64;

/// Rows of equal length, each `stride` numbers after the one before.
#[derive(Clone, Copy)]
pub(crate) struct Rows<'a> {
    pub(crate) numbers: &'a [f32],
    pub(crate) stride: usize,
    pub(crate) length: usize,
    pub(crate) n: usize,
}

/// Vectors of equal length, each `stride` numbers after the one before.
#[derive(Clone, Copy)]
pub(crate) struct Vectors<'a, W> {
    pub(crate) numbers: &'a [W],
    pub(crate) stride: usize,
    pub(crate) length: usize,
}

/// Adds to the sum of each row all vectors, each scaled by a number of the row.
pub(crate) struct AddScaled<'a, W> {
    pub(crate) rows: Rows<'a>,
    /// A vector for each number of a row.
    pub(crate) vectors: Vectors<'a, W>,
    /// A sum for each row, one after another.
    pub(crate) sums: &'a mut [f32],
}

/// The products of every vector with every row.
pub(crate) struct Products<'a> {
    /// As long as the vectors.
    pub(crate) rows: Rows<'a>,
    pub(crate) vectors: Vectors<'a, f32>,
    /// For each vector, its product with each row.
    pub(crate) products: &'a mut [f32],
}

impl<'a> Rows<'a> {
    #[inline(always)]
    fn row(&self, idx: usize) -> &'a [f32] {
        &self.numbers[idx * self.stride..][..self.length]
    }

    /// Some of the numbers of each row.
    pub(crate) fn part(&self, first: usize, length: usize) -> Self {
        Self { numbers: &self.numbers[first..], length, ..*self }
    }
}

impl<'a, W> Vectors<'a, W> {
    #[inline(always)]
    fn at<const N: usize>(&self, places: [usize; N]) -> [&'a [W]; N] {
        places.map(|it| &self.numbers[it * self.stride..][..self.length])
    }

    /// Without so many of the first.
    pub(crate) fn skip(&self, first: usize) -> Self {
        Self { numbers: &self.numbers[first * self.stride..], ..*self }
    }
}

impl<W: Copy + Into<f32>> WithSimd for AddScaled<'_, W> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(mut self, _simd: S) {
        let part = self.rows.length / ABREAST;
        for first in 0..part {
            self.add::<ABREAST>(std::array::from_fn(|it| first + it * part));
        }
        for rest in part * ABREAST..self.rows.length {
            self.add([rest]);
        }
    }
}

impl<W: Copy + Into<f32>> AddScaled<'_, W> {
    /// Adds the vectors at `N` places to every sum.
    #[inline(always)]
    fn add<const N: usize>(&mut self, places: [usize; N]) {
        let mut row = 0;
        while row + 4 <= self.rows.n {
            self.add_to::<4, N>(row, places);
            row += 4;
        }
        for row in row..self.rows.n {
            self.add_to::<1, N>(row, places);
        }
    }

    /// Adds the vectors at `N` places to `R` sums.
    #[inline(always)]
    fn add_to<const R: usize, const N: usize>(&mut self, row: usize, places: [usize; N]) {
        let length = self.vectors.length;
        let rows: [&[f32]; R] = std::array::from_fn(|it| self.rows.row(row + it));
        let scales = rows.map(|row| places.map(|it| row[it]));
        let vectors = self.vectors.at(places);
        let mut sums = self.sums[row * length..][..R * length].chunks_exact_mut(length);
        let mut sums: [&mut [f32]; R] =
            std::array::from_fn(|_| sums.next().expect("a sum for each row"));
        let whole = length / LANES * LANES;
        add_whole(
            &scales,
            &vectors.map(|it| &it[..whole]),
            sums.each_mut().map(|it| &mut it[..whole]),
        );
        for (sum, scales) in sums.iter_mut().zip(&scales) {
            for (at, sum) in sum.iter_mut().enumerate().skip(whole) {
                *sum = (0..N).fold(*sum, |sum, it| vectors[it][at].into().mul_add(scales[it], sum));
            }
        }
    }
}

/// Adds vectors to sums whose length is a multiple of [`LANES`].
#[inline(always)]
fn add_whole<W: Copy + Into<f32>, const R: usize, const N: usize>(
    scales: &[[f32; N]; R],
    vectors: &[&[W]; N],
    sums: [&mut [f32]; R],
) {
    let mut sums = sums.map(|it| it.as_chunks_mut::<LANES>().0);
    let n = sums[0].len();
    let vectors = vectors.map(|it| &it.as_chunks::<LANES>().0[..n]);
    let mut sums = sums.each_mut().map(|it| &mut it[..n]);
    for at in 0..n {
        let mut parts: [[f32; LANES]; R] = std::array::from_fn(|row| sums[row][at]);
        for (it, vector) in vectors.iter().enumerate() {
            for (part, scales) in parts.iter_mut().zip(scales) {
                for (sum, number) in part.iter_mut().zip(&vector[at]) {
                    *sum = (*number).into().mul_add(scales[it], *sum);
                }
            }
        }
        for (sums, part) in sums.iter_mut().zip(parts) {
            sums[at] = part;
        }
    }
}

impl WithSimd for Products<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Self { rows, vectors, products } = self;
        let mut groups = products.chunks_exact_mut(ABREAST * rows.n);
        let mut first = 0;
        for group in &mut groups {
            let places: [usize; ABREAST] = std::array::from_fn(|it| first + it);
            multiply(simd, rows, vectors.at(places), group);
            first += ABREAST;
        }
        for (it, rest) in groups.into_remainder().chunks_exact_mut(rows.n).enumerate() {
            multiply(simd, rows, vectors.at([first + it]), rest);
        }
    }
}

/// The products of `N` vectors with all rows.
#[inline(always)]
fn multiply<S: Simd, const N: usize>(
    simd: S,
    rows: Rows,
    vectors: [&[f32]; N],
    products: &mut [f32],
) {
    let n_whole = rows.length / S::F32_LANES;
    let whole = vectors.map(|it| &S::as_simd_f32s(it).0[..n_whole]);
    for row in 0..rows.n {
        let (numbers, rest) = S::as_simd_f32s(rows.row(row));
        let mut sums = [simd.splat_f32s(0.0); N];
        for (at, x) in numbers[..n_whole].iter().enumerate() {
            for (sum, vector) in sums.iter_mut().zip(&whole) {
                *sum = simd.mul_add_f32s(*x, vector[at], *sum);
            }
        }
        for (it, (sum, vector)) in sums.into_iter().zip(vectors).enumerate() {
            let tail = rest.iter().zip(&vector[n_whole * S::F32_LANES..]);
            let add = |sum, (a, b): (&f32, &f32)| a.mul_add(*b, sum);
            products[it * rows.n + row] = tail.fold(simd.reduce_sum_f32s(sum), add);
        }
    }
}
