//! Whether the stages learnt from the tokens of the models beside them.
//!
//! Tokens are bare integers: those of another tokenizer have the same range and mean something
//! else. A stage therefore names, by fingerprint, the models that made its tokens.

use std::collections::BTreeMap;
use std::path::Path;

use audiolm_nn::fingerprint;

use crate::{BundleError, Part, json};

/// The file in which a stage names what made its tokens.
pub(crate) const LINEAGE_FILE: &str = "lineage.json";

/// The fingerprint of each model that made tokens.
pub(crate) type Lineage = BTreeMap<Part, String>;

/// Compares what the stages learnt from with what is there.
pub(crate) fn check_lineage(export: &Path) -> Result<(), BundleError> {
    let makers = [Part::SemanticTokenizer, Part::Codec];
    let there: Lineage =
        makers.into_iter().map(|it| print_of(export, it)).collect::<Result<_, _>>()?;
    for stage in Part::STAGES.into_iter().filter(|it| it.is_in(export)) {
        let path = export.join(stage.folder()).join(LINEAGE_FILE);
        let named: Lineage = json::load(&path)?;
        for &of in stage.learns_from() {
            let (expected, found) = (there[&of].clone(), named.get(&of));
            if found != Some(&expected) {
                let found = found.map_or("none", String::as_str).to_owned();
                return Err(BundleError::Lineage { path, stage, of, expected, found });
            }
        }
    }
    Ok(())
}

fn print_of(export: &Path, part: Part) -> Result<(Part, String), BundleError> {
    Ok((part, fingerprint(&export.join(part.folder()))?))
}
