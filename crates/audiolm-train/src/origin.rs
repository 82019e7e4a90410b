//! What the state of a stage was trained from: a checkpoint goes on with nothing else.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use crate::{Plan, Stage};

/// Settings of a stage that may change while it is trained: for how long, how fast, and how often
/// to look.
const FREE: [&str; 2] = ["schedule", "cadence"];

/// What a checkpoint follows from, beside chance and the number of steps.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct Origin(Map<String, Value>);

impl Origin {
    /// The seed, the recordings and the stage's own settings.
    pub(crate) fn of(stage: Stage, plan: &Plan) -> Self {
        let condition = plan.condition_of(stage);
        let condition = condition.map(|it| serde_json::to_value(it).expect("names and numbers"));
        let Ok(Value::Object(mut plan)) = serde_json::to_value(plan) else {
            unreachable!("a plan is a table")
        };
        let section = stage.name().replace('-', "_");
        plan.retain(|key, _| *key == section || ["seed", "tokenizers", "data"].contains(&&**key));
        if let Some(condition) = condition {
            plan.insert("condition".into(), condition);
        }
        if let Some(Value::Object(settings)) = plan.get_mut(&section) {
            settings.retain(|key, _| !FREE.contains(&&**key));
        }
        Self(plan)
    }

    /// This, with fingerprints of the tokenizers that the stage learns from.
    pub(crate) fn with_lineage(mut self, lineage: Value) -> Self {
        self.0.insert("lineage".into(), lineage);
        self
    }

    /// The first value here that is another in `now`, of those that both have.
    pub(crate) fn difference(&self, now: &Self) -> Option<String> {
        let both = self.0.iter().filter_map(|(key, was)| Some((key, was, now.0.get(key)?)));
        both.into_iter().find_map(|(key, was, now)| difference(key, was, now))
    }
}

/// The first value that differs below `name`.
fn difference(name: &str, was: &Value, now: &Value) -> Option<String> {
    match (was, now) {
        (Value::Object(was_map), Value::Object(now_map)) => {
            let keys = was_map.keys().chain(now_map.keys());
            let mut below =
                keys.map(|key| difference(&format!("{name}.{key}"), &was[key], &now[key]));
            below.find_map(|it| it)
        }
        _ if was == now => None,
        _ => {
            let shown = |it: &Value| if it.is_null() { json!("nothing") } else { it.clone() };
            Some(format!("{name} was {}, now {}", shown(was), shown(now)))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Preset;

    #[track_caller]
    fn check(change: impl FnOnce(&mut Plan), expected: Option<&str>) {
        let mut plan = Plan::preset(Preset::Smoke);
        let was = Origin::of(Stage::SemanticEncoder, &plan);
        change(&mut plan);
        let found = was.difference(&Origin::of(Stage::SemanticEncoder, &plan));
        assert_eq!(found.as_deref(), expected);
    }

    #[test]
    fn a_stage_depends_on_its_own_settings_alone() {
        check(|_| (), None);
        check(|it| it.codec.batch = 9, None);
        check(|it| it.semantic_encoder.batch = 9, Some("semantic_encoder.batch was 2, now 9"));
        check(|it| it.seed = 1, Some("seed was 0, now 1"));
        check(|it| it.data.sets = vec!["a".into()], Some("data.sets was [], now [\"a\"]"));
    }

    #[test]
    fn it_may_be_trained_for_longer() {
        check(|it| it.semantic_encoder.schedule.steps = 9, None);
        check(|it| it.semantic_encoder.cadence.save_every = 9, None);
    }

    #[test]
    fn the_tokenizers_belong_to_it() {
        let origin = || Origin::of(Stage::Fine, &Plan::preset(Preset::Smoke));
        let one = origin().with_lineage(json!({ "codec": "ab" }));
        let other = origin().with_lineage(json!({ "codec": "cd" }));
        let expected = "lineage.codec was \"ab\", now \"cd\"";
        assert_eq!(one.difference(&other).as_deref(), Some(expected));
        assert_eq!(one.difference(&origin()), None);
    }
}
