//! Adam, uphill (Kingma and Ba 2015).

/// Decay of the means of gradients and of their squares.
const DECAY: (f64, f64) = (0.9, 0.999);
const EPSILON: f64 = 1e-8;

/// The state of the optimiser.
pub(super) struct Adam {
    rate: f64,
    mean: Vec<f64>,
    square: Vec<f64>,
    powers: (f64, f64),
}

impl Adam {
    pub(super) fn new(n: usize, rate: f64) -> Self {
        Self {
            rate,
            mean: vec![0.0; n],
            square: vec![0.0; n],
            powers: (1.0, 1.0),
        }
    }

    pub(super) fn set_rate(&mut self, rate: f64) {
        self.rate = rate;
    }

    /// One step up the gradient.
    pub(super) fn step(&mut self, values: &mut [f64], gradient: &[f64]) {
        self.powers.0 *= DECAY.0;
        self.powers.1 *= DECAY.1;
        let (unbias_mean, unbias_square) = (1.0 - self.powers.0, 1.0 - self.powers.1);
        let state = self.mean.iter_mut().zip(&mut self.square);
        for ((v, g), (mean, square)) in values.iter_mut().zip(gradient).zip(state) {
            *mean = DECAY.0 * *mean + (1.0 - DECAY.0) * g;
            *square = DECAY.1 * *square + (1.0 - DECAY.1) * g * g;
            let size = (*square / unbias_square).sqrt() + EPSILON;
            *v += self.rate * (*mean / unbias_mean) / size;
        }
    }
}
