//! What can be wrong with a circuit, found before it is built, each fault with its dotted path.

use chiasm_core::{SettingError, names};

use super::{Circuit, GroupSpec, Kind};
use crate::neuron::Receptor;
use crate::projection::{Connect, Distributed, Draw, Projection, Synapses};

impl Circuit {
    /// Checks everything that can be checked before synapses are drawn.
    ///
    /// # Errors
    /// The first fault.
    pub fn validate(&self) -> Result<(), SettingError> {
        let holds = self.dt_ms.is_finite() && self.dt_ms > 0.0;
        SettingError::check(holds, "dt_ms", "a step above 0 ms", self.dt_ms)?;
        SettingError::check(
            !self.groups.is_empty(),
            "population",
            "at least one population",
            "none",
        )?;
        for (i, group) in self.groups.iter().enumerate() {
            let twice = self.groups[..i].iter().any(|g| g.name == group.name);
            let field = self.field(i, "");
            SettingError::check(
                !twice,
                &field,
                "a name of its own",
                format!("`{}` again", group.name),
            )?;
            self.validate_group(i, group)?;
        }
        for (i, projection) in self.projections.iter().enumerate() {
            let field = format!("projection.{}", projection.name);
            let twice = self.projections[..i]
                .iter()
                .any(|p| p.name == projection.name);
            SettingError::check(
                !twice,
                &field,
                "a name of its own",
                format!("`{}` again", projection.name),
            )?;
            self.validate_projection(projection, &field)?;
        }
        for (i, (name, modulator)) in self.modulators.iter().enumerate() {
            let twice = self.modulators[..i].iter().any(|m| m.0 == *name);
            let field = format!("modulator.{name}");
            SettingError::check(
                !twice,
                &field,
                "a name of its own",
                format!("`{name}` again"),
            )?;
            modulator.validate(&field, self.groups.len(), self.dt_ms)?;
        }
        for (i, probe) in self.states.iter().enumerate() {
            let field = |what: &str| format!("record.state.{i}.{what}");
            let Some(group) = self.groups.get(probe.group) else {
                return Err(SettingError::new(
                    &field("population"),
                    "a population of this circuit",
                    "another",
                ));
            };
            variable_of(group, &probe.variable, &field("variable"))?;
            let steps = (probe.every_ms / self.dt_ms).round();
            let expected = format!("at least one step of {} ms", self.dt_ms);
            SettingError::check(
                steps >= 1.0 && steps.is_finite(),
                &field("every_ms"),
                &expected,
                probe.every_ms,
            )?;
            check_indices(&probe.neurons, group.n, &field("neurons"))?;
        }
        Ok(())
    }

    /// The dotted path of a group's field.
    fn field(&self, idx: usize, what: &str) -> String {
        let group = &self.groups[idx];
        let kind = match group.kind {
            Kind::Population { .. } => "population",
            Kind::Input(_) => "input",
        };
        let dot = if what.is_empty() { "" } else { "." };
        format!("{kind}.{}{dot}{what}", group.name)
    }

    fn validate_group(&self, idx: usize, group: &GroupSpec) -> Result<(), SettingError> {
        let field = |what: &str| self.field(idx, what);
        let holds = group.n > 0 && group.n < u32::MAX as usize;
        SettingError::check(
            holds,
            &field("n"),
            "a size from 1 to 4 294 967 294",
            group.n,
        )?;
        match &group.kind {
            Kind::Input(input) => input.validate(&group.name, group.n, self.dt_ms),
            Kind::Population {
                model,
                start,
                current,
                pulses,
            } => {
                model.validate().map_err(|e| SettingError {
                    field: field(&format!("{}.{}", model.name(), e.field)),
                    ..e
                })?;
                for (variable, draw) in start {
                    let at = field(&format!("start.{variable}"));
                    variable_of(group, variable, &at)?;
                    draw.validate(&at)?;
                    check_each(draw, group.n, &at)?;
                }
                if let Some(draw) = current {
                    draw.validate(&field("current_pa"))?;
                    check_each(draw, group.n, &field("current_pa"))?;
                }
                for (i, pulse) in pulses.iter().enumerate() {
                    let at = |what: &str| field(&format!("pulse.{i}.{what}"));
                    let holds = pulse.start_s.is_finite() && pulse.start_s >= 0.0;
                    SettingError::check(
                        holds,
                        &at("start_s"),
                        "a finite time from 0 s on",
                        pulse.start_s,
                    )?;
                    let holds = pulse.stop_s >= pulse.start_s;
                    SettingError::check(
                        holds,
                        &at("stop_s"),
                        "an end after the start",
                        pulse.stop_s,
                    )?;
                    SettingError::check(
                        pulse.i_pa.is_finite(),
                        &at("i_pa"),
                        "a finite current",
                        pulse.i_pa,
                    )?;
                    check_indices(&pulse.neurons, group.n, &at("neurons"))?;
                }
                Ok(())
            }
        }
    }

    fn validate_projection(&self, p: &Projection, field: &str) -> Result<(), SettingError> {
        let at = |what: &str| format!("{field}.{what}");
        let (Some(from), Some(to)) = (self.groups.get(p.from.0), self.groups.get(p.to.0)) else {
            return Err(SettingError::new(
                field,
                "groups of this circuit",
                "another circuit's",
            ));
        };
        let receptor = receptor_of(to, &p.receptor, &at("to"), &at("receptor"))?;
        match &p.connect {
            Connect::OneToOne => {
                let found = format!("{} and {}", from.n, to.n);
                SettingError::check(
                    from.n == to.n,
                    &at("connect"),
                    "groups of the same size",
                    found,
                )?;
            }
            Connect::Probability(x) => {
                let holds = (0.0..=1.0).contains(x);
                SettingError::check(holds, &at("connect"), "a probability from 0 to 1", x)?;
            }
            Connect::InDegree(k) | Connect::OutDegree(k) => {
                let others = if matches!(p.connect, Connect::InDegree(_)) {
                    from.n
                } else {
                    to.n
                };
                let others = others - usize::from(p.from == p.to && !p.self_connections);
                let expected = format!("at most {others}, as many as there are others");
                SettingError::check(*k as usize <= others, &at("connect"), &expected, k)?;
            }
            Connect::Pairs(pairs) => {
                for (s, t) in pairs {
                    let holds = (*s as usize) < from.n && (*t as usize) < to.n;
                    let expected = format!("sources below {} and targets below {}", from.n, to.n);
                    SettingError::check(holds, &at("connect"), &expected, format!("({s}, {t})"))?;
                }
            }
            Connect::AllToAll | Connect::AllToOthers => {}
        }
        p.weight.validate(&at("weight"))?;
        let least = match &p.weight {
            Draw::Same(w) => *w,
            Draw::From(Distributed::Uniform(low, _)) => *low,
            Draw::From(Distributed::Normal(mean, sd)) if *sd == 0.0 => *mean,
            // A normal distribution has no least value: the weights themselves are checked when drawn.
            Draw::From(Distributed::Normal(..)) => 0.0,
            Draw::From(Distributed::Each(each)) => each.iter().copied().fold(0.0, f64::min),
        };
        let expected = format!("conductances of at least 0 {}", receptor.unit);
        SettingError::check(
            receptor.signed || least >= 0.0,
            &at("weight"),
            &expected,
            least,
        )?;
        if !matches!(p.delay_ms, Draw::Same(d) if d.is_nan()) {
            p.delay_ms.validate(&at("delay_ms"))?;
        }
        if let Some(modulated) = p.modulated {
            let known = modulated.by < self.modulators.len();
            SettingError::check(
                known,
                &at("modulated.by"),
                "a modulator of this circuit",
                "another's",
            )?;
            let expected = "a plastic projection";
            SettingError::check(
                p.rule.is_some(),
                &at("modulated"),
                expected,
                "constant weights",
            )?;
        }
        if let Some(rule) = &p.rule {
            rule.validate().map_err(|e| SettingError {
                field: at(&format!("stdp.{}", e.field)),
                ..e
            })?;
            let holds = receptor.signed || rule.range().0 >= 0.0;
            SettingError::check(holds, &at("stdp.w_min"), &expected, rule.range().0)?;
        }
        Ok(())
    }

    /// Checks drawn synapses against what only they can tell.
    pub(crate) fn check_drawn(
        &self,
        p: &Projection,
        synapses: &Synapses,
    ) -> Result<(), SettingError> {
        let at = |what: &str| format!("projection.{}.{what}", p.name);
        let receptor = receptor_of(
            &self.groups[p.to.0],
            &p.receptor,
            &at("to"),
            &at("receptor"),
        )?;
        if !receptor.signed {
            let negative = synapses.iter().find(|s| s.2 < 0.0);
            if let Some((s, t, w, _)) = negative {
                let expected = format!("conductances of at least 0 {}", receptor.unit);
                return Err(SettingError::new(
                    &at("weight"),
                    expected,
                    format!("{w} from {s} to {t}"),
                ));
            }
        }
        if let Some(rule) = &p.rule {
            let steps = (rule.order().axonal_ms / self.dt_ms).round();
            let shortest = f64::from(synapses.shortest());
            let expected = format!("less than the shortest delay, {} ms", shortest * self.dt_ms);
            let found = format!("{} ms", rule.order().axonal_ms);
            SettingError::check(steps < shortest, &at("stdp.axonal_ms"), &expected, found)?;
        }
        Ok(())
    }
}

/// The index of a population's variable.
pub(crate) fn variable_of(
    group: &GroupSpec,
    name: &str,
    field: &str,
) -> Result<usize, SettingError> {
    let Kind::Population { model, .. } = &group.kind else {
        let found = format!("the input `{}`", group.name);
        return Err(SettingError::new(field, "a population", found));
    };
    let known = model.variables();
    known.iter().position(|v| *v == name).ok_or_else(|| {
        let expected = format!(
            "one of {} ({})",
            known.join(", "),
            names::suggest(name, known)
        );
        SettingError::new(field, expected, format!("`{name}`"))
    })
}

/// The receptor of a population.
pub(crate) fn receptor_of(
    group: &GroupSpec,
    name: &str,
    to: &str,
    field: &str,
) -> Result<Receptor, SettingError> {
    let Kind::Population { model, .. } = &group.kind else {
        let found = format!("the input `{}`", group.name);
        return Err(SettingError::new(to, "a population", found));
    };
    let known = model.receptors();
    known
        .iter()
        .find(|r| r.name == name)
        .copied()
        .ok_or_else(|| {
            let known: Vec<&str> = known.iter().map(|r| r.name).collect();
            SettingError::new(
                field,
                format!("one of {}", known.join(", ")),
                format!("`{name}`"),
            )
        })
}

fn check_each(draw: &Draw, n: usize, field: &str) -> Result<(), SettingError> {
    match draw {
        Draw::From(Distributed::Each(each)) => {
            let expected = format!("{n} values, one for each neuron");
            SettingError::check(
                each.len() == n,
                field,
                &expected,
                format!("{} values", each.len()),
            )
        }
        _ => Ok(()),
    }
}

fn check_indices(neurons: &[u32], n: usize, field: &str) -> Result<(), SettingError> {
    match neurons.iter().find(|i| **i as usize >= n) {
        Some(i) => Err(SettingError::new(field, format!("indices below {n}"), i)),
        None => Ok(()),
    }
}
