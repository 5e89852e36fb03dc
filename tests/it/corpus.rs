//! What the fuzzers run on, replayed: every file of `tests/fuzz/corpus/TARGET/` through its target. `make fuzz` finds
//! new ones; what it finds is put there and stays.

use crate::targets;
use std::{fs, path::Path};

#[test]
fn every_file_of_the_corpus_holds_its_invariant() {
    for (name, target) in targets::ALL {
        let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fuzz/corpus").join(name);
        let files: Vec<_> =
            fs::read_dir(&dir).unwrap_or_else(|error| panic!("{}: {error}", dir.display())).collect();
        assert!(files.len() > 2, "the corpus of {name} is empty");
        for file in files {
            target(&fs::read(file.unwrap().path()).unwrap());
        }
    }
}
