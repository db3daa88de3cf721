//! A reading of the JSON schemas that `schemars` derives: enough to find a setting and to say what it accepts.

use serde_json::{Map, Value};

use super::SettingsError;

/// A place in a schema.
#[derive(Clone, Copy)]
pub(super) struct Node<'a> {
    root: &'a Value,
    schema: &'a Value,
}

impl<'a> Node<'a> {
    pub(super) fn root(schema: &'a Value) -> Self {
        Self {
            root: schema,
            schema,
        }
    }

    fn at(self, schema: &'a Value) -> Self {
        Self { schema, ..self }
    }

    /// The shapes a value may have, references followed and unions taken apart.
    pub(super) fn shapes(self) -> Vec<Self> {
        if let Some(target) = self.schema.get("$ref").and_then(Value::as_str) {
            let found = target
                .strip_prefix('#')
                .and_then(|pointer| self.root.pointer(pointer));
            return found.map_or_else(Vec::new, |s| self.at(s).shapes());
        }
        for union in ["oneOf", "anyOf", "allOf"] {
            if let Some(parts) = self.schema.get(union).and_then(Value::as_array) {
                return parts.iter().flat_map(|s| self.at(s).shapes()).collect();
            }
        }
        vec![self]
    }

    fn properties(self) -> Option<&'a Map<String, Value>> {
        self.schema.get("properties").and_then(Value::as_object)
    }

    /// The setting of this name directly below, in any of the shapes.
    pub(super) fn child(self, key: &str) -> Option<Self> {
        self.shapes().into_iter().find_map(|shape| {
            let named = shape.properties().and_then(|p| p.get(key));
            // A map with free keys.
            let free = || {
                shape
                    .schema
                    .get("additionalProperties")
                    .filter(|s| s.is_object())
            };
            named.or_else(free).map(|s| self.at(s))
        })
    }

    /// Names and places of the settings directly below, in the order of the type.
    pub(super) fn children(self) -> Vec<(&'a str, Self)> {
        let mut all: Vec<(&str, Self)> = Vec::new();
        for shape in self.shapes() {
            for (name, schema) in shape.properties().into_iter().flatten() {
                if !all.iter().any(|(n, _)| n == name) {
                    all.push((name, self.at(schema)));
                }
            }
        }
        all
    }

    /// All dotted keys below.
    pub(super) fn keys(self, prefix: &str) -> Vec<String> {
        let children = self.children().into_iter();
        children
            .flat_map(|(name, child)| {
                let key = join(prefix, name);
                let below = child.keys(&key);
                std::iter::once(key).chain(below).collect::<Vec<_>>()
            })
            .collect()
    }

    /// The text beside the setting, on one line.
    pub(super) fn help(self) -> String {
        let own = self.schema.get("description").and_then(Value::as_str);
        own.unwrap_or_default()
            .split_whitespace()
            .collect::<Vec<_>>()
            .join(" ")
    }

    /// Lays `given` over `config`, setting by setting.
    pub(super) fn merge(
        self,
        config: &mut Value,
        given: &Value,
        path: &str,
    ) -> Result<(), SettingsError> {
        let takes_settings = !self.children().is_empty();
        match given {
            Value::Object(map) if takes_settings => {
                let alternatives = self
                    .shapes()
                    .iter()
                    .filter(|s| s.properties().is_some())
                    .count();
                for (key, value) in map {
                    let here = join(path, key);
                    let child = self.child(key).ok_or_else(|| SettingsError::UnknownKey {
                        key: here.clone(),
                        known: Node::root(self.root).keys(""),
                    })?;
                    // Another variant of an enum takes the place of the present one.
                    let other_variant = alternatives > 1 && config.get(key).is_none();
                    if !config.is_object() || other_variant {
                        *config = Value::Object(Map::new());
                    }
                    let slot = config
                        .as_object_mut()
                        .map(|m| m.entry(key.clone()).or_insert(Value::Null));
                    if let Some(slot) = slot {
                        child.merge(slot, value, &here)?;
                    }
                }
                Ok(())
            }
            _ if self.accepts(given) => {
                *config = given.clone();
                Ok(())
            }
            // A dotted key that goes deeper than the setting does.
            Value::Object(map)
                if !self.shapes().iter().any(|s| s.is_type("object")) && !map.is_empty() =>
            {
                let deeper = map
                    .keys()
                    .next()
                    .map_or_else(String::new, |k| join(path, k));
                Err(SettingsError::UnknownKey {
                    key: deeper,
                    known: Node::root(self.root).keys(""),
                })
            }
            _ => Err(SettingsError::WrongType {
                key: path.into(),
                expected: self.expected(),
                found: found(given),
            }),
        }
    }

    fn is_type(self, name: &str) -> bool {
        match self.schema.get("type") {
            Some(Value::String(one)) => one == name,
            Some(Value::Array(any)) => any.iter().any(|t| t == name),
            _ => false,
        }
    }

    /// Whether a value of this type may stand here. Free-form places accept anything.
    fn accepts(self, value: &Value) -> bool {
        self.shapes()
            .into_iter()
            .any(|shape| shape.accepts_as_shape(value))
    }

    fn accepts_as_shape(self, value: &Value) -> bool {
        if let Some(only) = self.schema.get("const") {
            return only == value;
        }
        if let Some(any) = self.schema.get("enum").and_then(Value::as_array) {
            return any.contains(value);
        }
        if self.schema.get("type").is_none() {
            return true;
        }
        match value {
            Value::Null => self.is_type("null"),
            Value::Bool(_) => self.is_type("boolean"),
            Value::String(_) => self.is_type("string"),
            Value::Number(n) => {
                let whole = self.is_type("integer") && (n.is_u64() || n.is_i64());
                let number = |key| self.schema.get(key).and_then(Value::as_f64);
                let x = n.as_f64().unwrap_or(f64::NAN);
                (whole || self.is_type("number"))
                    && number("minimum").is_none_or(|low| x >= low)
                    && number("maximum").is_none_or(|high| x <= high)
            }
            Value::Array(items) => {
                let fixed = self.schema.get("prefixItems").and_then(Value::as_array);
                self.is_type("array")
                    && fixed.is_none_or(|each| {
                        each.len() == items.len()
                            && each.iter().zip(items).all(|(s, v)| self.at(s).accepts(v))
                    })
                    && self
                        .schema
                        .get("items")
                        .filter(|s| s.is_object())
                        .is_none_or(|s| items.iter().all(|v| self.at(s).accepts(v)))
            }
            Value::Object(map) => {
                self.is_type("object")
                    && map
                        .iter()
                        .all(|(k, v)| self.child(k).is_some_and(|c| c.accepts(v)))
            }
        }
    }

    /// What would be accepted, in words.
    pub(super) fn expected(self) -> String {
        let mut words: Vec<String> = Vec::new();
        let mut choices: Vec<String> = Vec::new();
        for shape in self.shapes() {
            if let Some(only) = shape.schema.get("const") {
                choices.push(plain(only));
            } else if let Some(any) = shape.schema.get("enum").and_then(Value::as_array) {
                choices.extend(any.iter().map(plain));
            } else {
                words.extend(shape.words());
            }
        }
        match choices.len() {
            0 => {}
            1 => words.insert(0, format!("`{}`", choices[0])),
            _ => words.insert(0, format!("one of {}", choices.join(", "))),
        }
        if words.is_empty() {
            words.push("any value".into());
        }
        words.join(" or ")
    }

    fn words(self) -> Vec<String> {
        let mut words = Vec::new();
        let bound = |key: &str| self.schema.get(key).map(plain);
        let range = match (bound("minimum"), bound("maximum")) {
            (Some(low), Some(high)) => format!(" from {low} to {high}"),
            (Some(low), None) => format!(" of at least {low}"),
            (None, Some(high)) => format!(" of at most {high}"),
            (None, None) => String::new(),
        };
        if self.is_type("integer") {
            words.push(format!("a whole number{range}"));
        } else if self.is_type("number") {
            words.push(format!("a number{range}"));
        }
        if self.is_type("boolean") {
            words.push("true or false".into());
        }
        if self.is_type("string") {
            words.push("a text".into());
        }
        if self.is_type("array") {
            let fixed = self.schema.get("prefixItems").and_then(Value::as_array);
            words.push(match (fixed, self.schema.get("items")) {
                (Some(each), _) => {
                    let each: Vec<String> = each.iter().map(|s| self.at(s).expected()).collect();
                    format!("a list of {}", each.join(", "))
                }
                (None, Some(items)) => format!("a list, each {}", self.at(items).expected()),
                (None, None) => "a list".into(),
            });
        }
        if self.is_type("object") {
            let names: Vec<&str> = self.children().into_iter().map(|(n, _)| n).collect();
            words.push(format!("settings ({})", names.join(", ")));
        }
        if self.is_type("null") {
            words.push("null".into());
        }
        words
    }
}

pub(super) fn join(prefix: &str, key: &str) -> String {
    if prefix.is_empty() {
        key.into()
    } else {
        format!("{prefix}.{key}")
    }
}

/// A value without quotes.
pub(super) fn plain(value: &Value) -> String {
    match value {
        Value::String(s) => s.clone(),
        other => other.to_string(),
    }
}

fn found(value: &Value) -> String {
    match value {
        Value::String(s) => format!("`{s}`"),
        Value::Null => "null".into(),
        Value::Array(_) => format!("the list {value}"),
        Value::Object(_) => format!("the settings {value}"),
        other => other.to_string(),
    }
}
