//! Training of the projections, by mini-batches with Adam.

use chiasm_core::rng::Rng;
use chiasm_core::{Streams, Watch, vectorized};
use ndarray::{Array2, s};
use rand::RngExt;
use rand::seq::SliceRandom;

use super::loss::{loss, prototype_loss};
use super::project::Embedding;
use super::{Contrastive, ContrastiveError, Objective, Pairs, Projections};
use crate::readout::{Optimizer, Stepper};

/// Projections that have learned.
#[derive(Debug, Clone, PartialEq)]
pub struct Fitted {
    /// After the last pass.
    pub projections: Projections,
    /// Mean loss of each pass, nats.
    pub loss: Vec<f64>,
}

/// One side while it learns.
struct Side {
    /// `[pair][feature]`
    x: Vec<f32>,
    n_features: usize,
    weights: Vec<f32>,
    gradient: Vec<f32>,
    stepper: Stepper,
    embeddings: Vec<Embedding>,
    normalize: bool,
}

impl Side {
    fn new(x: ndarray::ArrayView2<'_, f32>, weights: &Array2<f32>, config: &Contrastive) -> Self {
        let weights: Vec<f32> = weights.iter().copied().collect();
        Self {
            x: x.iter().copied().collect(),
            n_features: x.ncols(),
            gradient: vec![0.0; weights.len()],
            stepper: Stepper::new(Optimizer::Adam { rate: config.rate }, weights.len()),
            weights,
            embeddings: vec![],
            normalize: config.normalize,
        }
    }

    fn features(&self, item: usize) -> &[f32] {
        &self.x[item * self.n_features..(item + 1) * self.n_features]
    }

    /// Embeds these items, `[item, dimension]`, and keeps what the way back needs.
    fn forward(&mut self, items: &[usize], dimension: usize) -> Array2<f32> {
        let mut embeddings = std::mem::take(&mut self.embeddings);
        embeddings.resize_with(items.len(), || Embedding::new(dimension));
        let mut z = Array2::zeros((items.len(), dimension));
        let each = embeddings.iter_mut().zip(items).zip(z.outer_iter_mut());
        for ((embedding, item), mut row) in each {
            embedding.set(&self.weights, self.features(*item), self.normalize);
            row.iter_mut().zip(&embedding.z).for_each(|(r, z)| *r = *z);
        }
        self.embeddings = embeddings;
        z
    }

    /// One step of Adam against the gradient at these items' embeddings.
    fn back(&mut self, items: &[usize], at_z: &Array2<f32>) {
        let mut gradient = std::mem::take(&mut self.gradient);
        gradient.fill(0.0);
        // A transposed product may come in columns.
        let at_z = at_z.as_standard_layout();
        for ((embedding, item), at_z) in self.embeddings.iter().zip(items).zip(at_z.outer_iter()) {
            if let Some(at_z) = at_z.as_slice() {
                embedding.back(at_z, self.features(*item), &mut gradient);
            }
        }
        let (stepper, weights) = (&mut self.stepper, &mut self.weights);
        vectorized(
            #[inline(always)]
            || stepper.step(weights.iter_mut(), gradient.iter()),
        );
        self.gradient = gradient;
    }

    fn into_weights(self, dimension: usize) -> Array2<f32> {
        let shape = (dimension, self.n_features);
        Array2::from_shape_fn(shape, |(d, f)| self.weights[d * shape.1 + f])
    }
}

impl Contrastive {
    /// Learns from untrained projections. The order of pairs is drawn anew for each pass; a last batch of one pair is left
    /// out of its pass. Ticks once for each pass.
    ///
    /// # Errors
    /// [`ContrastiveError`] for settings out of range, a loss that is not finite.
    pub fn fit(
        &self,
        pairs: &Pairs<'_>,
        streams: &Streams,
        watch: &dyn Watch,
    ) -> Result<Fitted, ContrastiveError> {
        self.validate()?;
        let start = self.untrained(pairs.a.ncols(), pairs.b.ncols(), streams);
        let mut a = Side::new(pairs.a, &start.a, self);
        let mut b = Side::new(pairs.b, &start.b, self);
        let n = pairs.labels.len();
        let classes = Classes::of(pairs.labels);
        let mut order: Vec<usize> = (0..n).collect();
        let mut losses = vec![];
        for pass in 1..=self.passes {
            watch.check()?;
            let mut rng = streams.indexed("order", pass);
            order.shuffle(&mut rng);
            let (mut sum, mut seen) = (0.0, 0);
            for batch in order.chunks(self.batch).filter(|b| b.len() > 1) {
                let value = match self.objective {
                    Objective::Pairs => self.pairs(batch, pairs.labels, (&mut a, &mut b))?,
                    Objective::Prototypes { support } => {
                        let support = classes.support(support, &mut rng);
                        self.prototypes(batch, &classes, &support, (&mut a, &mut b))
                    }
                };
                sum += value * batch.len() as f64;
                seen += batch.len();
            }
            let mean = sum / seen as f64;
            if !mean.is_finite() {
                return Err(ContrastiveError::Diverged { pass, found: mean });
            }
            losses.push(mean);
            watch.tick(1);
        }
        let weights = [a, b].map(|side| side.into_weights(self.dimension));
        let [a, b] = weights;
        if a.iter().chain(&b).any(|w| !w.is_finite()) {
            return Err(ContrastiveError::Diverged {
                pass: self.passes,
                found: f64::NAN,
            });
        }
        Ok(Fitted {
            projections: Projections {
                a,
                b,
                normalize: self.normalize,
            },
            loss: losses,
        })
    }

    fn pairs(
        &self,
        batch: &[usize],
        labels: &[usize],
        (a, b): (&mut Side, &mut Side),
    ) -> Result<f64, ContrastiveError> {
        let labels: Vec<usize> = batch.iter().map(|i| labels[*i]).collect();
        let (za, zb) = (
            a.forward(batch, self.dimension),
            b.forward(batch, self.dimension),
        );
        let found = loss(za.view(), zb.view(), &labels, self.temperature)?;
        a.back(batch, &found.at_a);
        b.back(batch, &found.at_b);
        Ok(found.value)
    }

    fn prototypes(
        &self,
        batch: &[usize],
        classes: &Classes,
        support: &[usize],
        (a, b): (&mut Side, &mut Side),
    ) -> f64 {
        let k = classes.items.len();
        let each = support.len() / k;
        let labels: Vec<usize> = batch.iter().map(|i| classes.of_item[*i]).collect();
        let za = a.forward(support, self.dimension);
        let zb = b.forward(batch, self.dimension);
        let mut prototypes = Array2::zeros((k, self.dimension));
        for (c, mut prototype) in prototypes.outer_iter_mut().enumerate() {
            let of_class = za.slice(s![c * each..(c + 1) * each, ..]);
            prototype.assign(&(of_class.sum_axis(ndarray::Axis(0)) / each as f32));
        }
        let found = prototype_loss(prototypes.view(), zb.view(), &labels, self.temperature);
        let at_a =
            Array2::from_shape_fn(za.dim(), |(i, d)| found.at_a[[i / each, d]] / each as f32);
        a.back(support, &at_a);
        b.back(batch, &found.at_b);
        found.value
    }
}

/// The classes among the pairs, numbered from 0.
struct Classes {
    /// Of each pair.
    of_item: Vec<usize>,
    /// Pairs of each class.
    items: Vec<Vec<usize>>,
}

impl Classes {
    fn of(labels: &[usize]) -> Self {
        let mut names = labels.to_vec();
        names.sort_unstable();
        names.dedup();
        let of_item: Vec<usize> = labels
            .iter()
            .map(|l| names.partition_point(|name| name < l))
            .collect();
        let mut items = vec![vec![]; names.len()];
        for (i, class) in of_item.iter().enumerate() {
            items[*class].push(i);
        }
        Self { of_item, items }
    }

    /// So many random pairs of each class, class by class; they may repeat.
    fn support(&self, n: usize, rng: &mut Rng) -> Vec<usize> {
        let mut support = Vec::with_capacity(n * self.items.len());
        for items in &self.items {
            support.extend((0..n).map(|_| items[rng.random_range(0..items.len())]));
        }
        support
    }
}
