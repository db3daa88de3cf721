//! Settings for people: one line for each, as `chiasm show` lists them.

use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;

use super::schema::{Node, join};

/// One setting of a study or a method.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct Setting {
    /// The dotted key, as for `--set`.
    pub key: String,
    /// What it accepts, in words.
    pub expects: String,
    /// Its value in the quick preset (in the defaults, for a method).
    pub default: Value,
    /// Its value in the paper preset, where that differs.
    pub paper: Option<Value>,
    /// What it does.
    pub help: String,
}

/// All settings of a schema, in the order of the type, nested ones by their dotted keys. `quick` and `paper` are the
/// two presets' values.
#[must_use]
pub fn describe(schema: &Value, quick: &Value, paper: &Value) -> Vec<Setting> {
    let mut all = Vec::new();
    collect(Node::root(schema), quick, paper, "", &mut all);
    all
}

fn collect(node: Node<'_>, quick: &Value, paper: &Value, prefix: &str, all: &mut Vec<Setting>) {
    for (name, child) in node.children() {
        let key = join(prefix, name);
        let at = |config: &Value| config.get(name).cloned().unwrap_or(Value::Null);
        let (quick, paper) = (at(quick), at(paper));
        // A struct is told by its fields; an enum whose variants carry settings is a setting itself.
        let is_struct = child.shapes().len() == 1 && !child.children().is_empty();
        if is_struct {
            collect(child, &quick, &paper, &key, all);
        } else {
            all.push(Setting {
                key,
                expects: child.expected(),
                paper: (paper != quick).then_some(paper),
                default: quick,
                help: child.help(),
            });
        }
    }
}
