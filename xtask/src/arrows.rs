//! The arrows between crates: which room may know which.

use std::collections::BTreeSet;

use anyhow::{Result, bail};
use cargo_metadata::{Dependency, DependencyKind, Metadata, MetadataCommand, Package};

use crate::shell::{root, say};

/// Each crate with the crates of ours that it may depend on. Dev-dependencies are free.
const ALLOWED: [(&str, &[&str]); 16] = [
    ("audio", &[]),
    ("hub", &[]),
    ("pickle", &[]),
    ("plot", &[]),
    ("nn", &["pickle"]),
    ("codec", &["nn"]),
    ("flex", &["nn"]),
    ("semantic", &["nn", "pickle"]),
    ("transformer", &["nn"]),
    ("text", &["nn"]),
    ("data", &["audio"]),
    ("eval", &["audio", "codec", "nn", "semantic", "transformer"]),
    ("pipeline", &["audio", "codec", "nn", "semantic", "text", "transformer"]),
    ("train", &["audio", "codec", "data", "eval", "nn", "plot", "semantic", "text", "transformer"]),
    (
        "audiolm",
        &[
            "audio",
            "codec",
            "data",
            "eval",
            "flex",
            "hub",
            "nn",
            "pickle",
            "pipeline",
            "plot",
            "semantic",
            "text",
            "train",
            "transformer",
        ],
    ),
    ("xtask", &[]),
];
/// The package of tests may know everything: nothing depends on it.
const TESTS: &str = "audiolm-tests";
/// The one crate that may turn on a backend for those who depend on it.
const FACADE: &str = "audiolm";
/// The one that needs a backend itself: it brings kernels for it.
const KERNELS: &str = "audiolm-flex";
/// The features of burn that are a backend, or make one faster.
const BACKENDS: [&str; 12] = [
    "flex", "wgpu", "vulkan", "metal", "webgpu", "cuda", "rocm", "cpu", "ndarray", "tch",
    "autotune", "fusion",
];

/// Refuses a dependency that is no allowed arrow, and a backend outside the facade.
pub fn check() -> Result<()> {
    say("arrows");
    let manifest = root().join("Cargo.toml");
    let metadata = MetadataCommand::new().manifest_path(manifest).no_deps().exec()?;
    let faults: Vec<String> =
        metadata.packages.iter().flat_map(|it| faults_of(it, &metadata)).collect();
    if !faults.is_empty() {
        bail!("wrong arrows (see ARCHITECTURE.md):\n{}", faults.join("\n"));
    }
    Ok(())
}

fn faults_of(package: &Package, metadata: &Metadata) -> Vec<String> {
    let name = package.name.as_str();
    if name == TESTS {
        return Vec::new();
    }
    let ours: BTreeSet<&str> = metadata.packages.iter().map(|it| it.name.as_str()).collect();
    let Some((_, allowed)) = ALLOWED.iter().find(|it| it.0 == room(name)) else {
        return vec![format!("{name}: a new crate; say in xtask/src/arrows.rs what it may know")];
    };
    let shipped =
        || package.dependencies.iter().filter(|it| it.kind != DependencyKind::Development);
    let wrong = shipped()
        .filter(|it| ours.contains(it.name.as_str()) && !allowed.contains(&room(&it.name)))
        .map(|it| format!("{name} → {}", it.name));
    let backends =
        shipped().flat_map(backends_of).chain(package.features.values().flat_map(|it| {
            it.iter().filter_map(|feature| feature.strip_prefix("burn/")).map(str::to_owned)
        }));
    let may = |backend: &str| name == FACADE || (name == KERNELS && backend == "flex");
    let leaked = backends.filter(|it| !may(it) && BACKENDS.contains(&it.as_str())).map(|it| {
        format!("{name}: turns on burn's `{it}`; only {FACADE} and dev-dependencies may")
    });
    wrong.chain(leaked).collect()
}

fn backends_of(dependency: &Dependency) -> Vec<String> {
    if dependency.name == "burn" { dependency.features.clone() } else { Vec::new() }
}

/// `audiolm-codec` is the room `codec`.
fn room(name: &str) -> &str {
    name.strip_prefix("audiolm-").unwrap_or(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_workspace_keeps_its_arrows() {
        check().unwrap();
    }
    #[test]
    fn no_arrow_leads_back() {
        for (name, allowed) in ALLOWED {
            for other in allowed {
                let back = ALLOWED.iter().find(|it| it.0 == *other).unwrap().1;
                assert!(!back.contains(&name), "{name} and {other} know one another");
            }
        }
    }
}
