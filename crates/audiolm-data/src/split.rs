//! A split by hash, for recordings that come without one.

use std::collections::BTreeMap;

use crate::Split;
use crate::hash::Fnv;
use crate::listing::Listing;

/// Out of so many speakers, one goes to validation: 5 %.
const SPEAKERS_PER_VALID: u64 = 20;

/// The split of each listing: its own, or one by the hash of its speaker.
///
/// All recordings of a speaker get the same split, so that no voice is in two. Where no speaker is
/// named, the files of a folder are taken to be one; where all such files are in one folder, each
/// is on its own. About one speaker in twenty is `valid`, none is `test`. A speaker keeps its split
/// when others come or go, except that one is moved where otherwise nothing would be left to train
/// or to validate with.
pub(crate) fn assign(listings: &[Listing]) -> Vec<Split> {
    let is_undecided = |it: &&Listing| it.split.is_none();
    let nameless = listings.iter().filter(is_undecided).filter(|it| it.speaker.is_none());
    let mut folders = nameless.map(Listing::folder);
    let first = folders.next().unwrap_or_default();
    let is_one_folder = folders.all(|it| it == first);
    let group = |it: &Listing| match &it.speaker {
        Some(speaker) => speaker.clone(),
        None if is_one_folder => it.key.clone(),
        None => it.folder().to_string(),
    };
    let splits = split_groups(listings.iter().filter(is_undecided).map(group).collect());
    let split = |it: &Listing| it.split.unwrap_or_else(|| splits[&group(it)]);
    listings.iter().map(split).collect()
}

fn split_groups(groups: Vec<String>) -> BTreeMap<String, Split> {
    let hash = |group: &String| Fnv::new().with(group.as_bytes()).finish();
    let bound = u64::MAX / SPEAKERS_PER_VALID;
    let split = |group: &String| if hash(group) < bound { Split::Valid } else { Split::Train };
    let mut splits: BTreeMap<_, _> =
        groups.into_iter().map(|it| (it.clone(), split(&it))).collect();
    if splits.values().all(|it| *it == Split::Valid)
        && let Some((_, split)) = splits.iter_mut().max_by_key(|it| hash(it.0))
    {
        *split = Split::Train;
    }
    if splits.len() > 1
        && splits.values().all(|it| *it == Split::Train)
        && let Some((_, split)) = splits.iter_mut().min_by_key(|it| hash(it.0))
    {
        *split = Split::Valid;
    }
    splits
}

#[cfg(test)]
mod tests {
    use super::*;

    fn listings(keys: impl IntoIterator<Item = String>) -> Vec<Listing> {
        keys.into_iter().map(|key| Listing::new(key.clone().into(), key)).collect()
    }

    #[track_caller]
    fn check(keys: impl IntoIterator<Item = String>, valid: std::ops::RangeInclusive<usize>) {
        let listings = listings(keys);
        let splits = assign(&listings);
        let n_valid = splits.iter().filter(|it| **it == Split::Valid).count();
        assert!(valid.contains(&n_valid), "{n_valid} of {} are valid", splits.len());
    }

    #[test]
    fn no_named_speaker_is_in_two_splits() {
        let mut listings = listings((0..400).map(|n| format!("all/{n}.wav")));
        for (n, listing) in listings.iter_mut().enumerate() {
            listing.speaker = Some(format!("speaker{}", n % 40));
        }
        let splits = assign(&listings);
        for (n, split) in splits.iter().enumerate() {
            assert_eq!(*split, splits[n % 40], "recording {n}");
        }
        assert!(splits.contains(&Split::Valid) && splits.contains(&Split::Train));
    }
    #[test]
    fn a_twentieth_of_the_speakers_is_valid() {
        check((0..4000).map(|n| format!("speaker{}/{n}.wav", n / 4)), 120..=280);
    }
    #[test]
    fn a_twentieth_of_the_files_of_one_folder_is_valid() {
        check((0..1000).map(|n| format!("{n}.wav")), 30..=70);
        check((0..1000).map(|n| format!("all/{n}.wav")), 30..=70);
    }
    #[test]
    fn two_files_are_one_to_train_and_one_to_validate_with() {
        check((0..2).map(|n| format!("{n}.wav")), 1..=1);
        check((0..2).map(|n| format!("{n}/a.wav")), 1..=1);
    }
    #[test]
    fn no_speaker_is_in_two_splits() {
        let listings = listings((0..400).map(|n| format!("speaker{}/{n}.wav", n % 100)));
        let splits = assign(&listings);
        assert!((100..400).all(|n| splits[n] == splits[n % 100]));
    }
    #[test]
    fn a_single_file_is_trained_on() {
        (0..50).for_each(|n| check([format!("{n}.wav")], 0..=0));
    }

    #[test]
    fn a_stated_split_is_kept() {
        let mut listings = listings(["a/1.wav".into(), "b/1.wav".into()]);
        listings[0].split = Some(Split::Test);
        assert_eq!(assign(&listings), [Split::Test, Split::Train]);
    }

    #[test]
    fn the_mapping_is_pinned() {
        let listings = listings((0..60).map(|n| format!("{n}/a.wav")));
        let splits = assign(&listings);
        let valid = (0..60).filter(|n| splits[*n] == Split::Valid).collect::<Vec<_>>();
        assert_eq!(valid, [19, 52]);
    }
}
