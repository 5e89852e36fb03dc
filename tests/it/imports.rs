//! Who imports whom, read from the sources: no files stand in a circle, and no modules of the crate.
//!
//! An arrow runs from a file to the file that defines what it names, in a `use` or in a path within the code; a
//! name that is only handed on (`pub use`) leads to where it is defined. What a module's own file says is ground for
//! the files below it (its errors, the trait that they implement), and the module composes them: so an arrow from a
//! file up to a module that it is part of does not count, and every other does.

use crate::architecture::files;
use std::collections::{BTreeMap, BTreeSet};

/// A module's path, or an item's; the crate's own is empty.
type Path = Vec<String>;

/// One file's code: the names that it takes in, and all else.
#[derive(Default)]
struct Room {
    /// Where each name stands that a `use` brings, and whether it is only handed on.
    names: BTreeMap<String, (Path, bool)>,
    /// The paths in its code.
    paths: Vec<Path>,
}

/// From a file to what it takes from each other.
type Arrows = BTreeMap<Path, BTreeMap<Path, BTreeSet<String>>>;

fn segments(path: &str) -> Path {
    path.split("::").map(str::trim).filter(|segment| !segment.is_empty()).map(str::to_owned).collect()
}

/// Reads the tree of a `use`: each path with the name that it goes by.
fn leaves(before: &[String], tree: &str, found: &mut Vec<(Path, String)>) {
    let joined = |tail: &str| [before, &segments(tail)].concat();
    if let Some((start, list)) = tree.split_once('{') {
        let list = list.trim_end().strip_suffix('}').unwrap();
        let (mut depth, mut begin) = (0, 0);
        for (at, c) in list.char_indices().chain([(list.len(), ',')]) {
            match c {
                '{' => depth += 1,
                '}' => depth -= 1,
                ',' if depth == 0 => {
                    let item = list[begin..at].trim();
                    if !item.is_empty() {
                        leaves(&joined(start), item, found);
                    }
                    begin = at + 1;
                }
                _ => {}
            }
        }
        return;
    }
    let (path, name) = tree.split_once(" as ").unwrap_or((tree, ""));
    let mut path = joined(path);
    if path.len() > 1 && path.last().is_some_and(|last| last == "self") {
        path.pop();
    }
    let name = if name.is_empty() { path.last().unwrap().clone() } else { name.trim().to_owned() };
    found.push((path, name));
}

/// Returns a path from the crate on; `None` for what stands in another crate or in this file.
fn from_the_crate(module: &[String], path: &[String], modules: &BTreeMap<Path, String>) -> Option<Path> {
    let ups = path.iter().take_while(|segment| *segment == "super").count();
    match path.first()?.as_str() {
        "crate" => Some(path[1..].to_vec()),
        "self" => Some([module, &path[1..]].concat()),
        "super" => Some([&module[..module.len().checked_sub(ups)?], &path[ups..]].concat()),
        first => {
            let child = [module, &[first.to_owned()]].concat();
            modules.contains_key(&child).then(|| [module, path].concat())
        }
    }
}

fn room(module: &[String], code: &str, modules: &BTreeMap<Path, String>) -> Room {
    let (mut room, mut rest, mut other) = (Room::default(), code, String::new());
    while let Some((line, behind)) = rest.split_once('\n') {
        let line = line.trim_start();
        let (is_public, told) = match line.strip_prefix("pub") {
            Some(told) => (true, told.strip_prefix("(").map_or(told, |told| told.split_once(')').unwrap().1)),
            None => (false, line),
        };
        if let Some(tree) = told.trim_start().strip_prefix("use ") {
            let begin = rest.len() - behind.len() - 1 - tree.len();
            let (tree, behind) = rest[begin..].split_once(';').unwrap();
            let mut found = Vec::new();
            leaves(&[], tree, &mut found);
            let ours = found.into_iter().filter_map(|(path, name)| {
                Some((name, (from_the_crate(module, &path, modules)?, is_public)))
            });
            room.names.extend(ours);
            rest = behind;
        } else {
            other.extend([line, "\n"]);
            rest = behind;
        }
    }
    let words = other.split(|c: char| !(c.is_alphanumeric() || c == '_' || c == ':'));
    for path in words.filter(|word| word.contains("::") && !word.starts_with(':')).map(segments) {
        let Some(first) = path.first() else { continue };
        let known = room.names.get(first).map(|(begin, _)| [begin, &path[1..]].concat());
        room.paths.extend(known.or_else(|| from_the_crate(module, &path, modules)));
    }
    room
}

/// Returns the file that defines what a path names, and the name.
fn home(path: &[String], rooms: &BTreeMap<Path, Room>) -> Option<(Path, String)> {
    let depth = (0..=path.len()).rev().find(|depth| rooms.contains_key(&path[..*depth]))?;
    let (module, name) = (&path[..depth], path.get(depth)?);
    match rooms[module].names.get(name) {
        Some((there, _)) => home(&[there, &path[depth + 1..]].concat(), rooms),
        None => Some((module.to_vec(), name.clone())),
    }
}

/// Draws the arrows between modules, each given with its code.
fn arrows(modules: &BTreeMap<Path, String>) -> Arrows {
    let rooms: BTreeMap<Path, Room> =
        modules.iter().map(|(module, code)| (module.clone(), room(module, code, modules))).collect();
    let mut arrows = Arrows::new();
    for (module, room) in &rooms {
        let taken = room.names.values().filter(|(_, is_public)| !is_public).map(|(path, _)| path);
        for (there, name) in taken.chain(&room.paths).filter_map(|path| home(path, &rooms)) {
            if !module.starts_with(&there) {
                arrows.entry(module.clone()).or_default().entry(there).or_default().insert(name);
            }
        }
    }
    arrows
}

/// Returns the arrows that are left when every file is taken away, again and again, that imports no other or that no
/// other imports: those of the circles and of what lies between two of them.
fn circles(mut arrows: Arrows) -> Vec<String> {
    loop {
        let from: BTreeSet<Path> = arrows.keys().cloned().collect();
        let to: BTreeSet<Path> = arrows.values().flat_map(BTreeMap::keys).cloned().collect();
        let before = arrows.values().map(BTreeMap::len).sum::<usize>();
        arrows.retain(|module, there| {
            there.retain(|other, _| from.contains(other));
            to.contains(module) && !there.is_empty()
        });
        if arrows.values().map(BTreeMap::len).sum::<usize>() == before {
            break;
        }
    }
    let said = |(from, there): (Path, BTreeMap<Path, BTreeSet<String>>)| {
        let from = from.join("::");
        there.into_iter().map(move |(to, names)| format!("{from} takes {names:?} from {}", to.join("::")))
    };
    arrows.into_iter().flat_map(said).collect()
}

/// Returns every module of the crate with its code.
fn crate_modules() -> BTreeMap<Path, String> {
    let source = files("src", ".rs").into_iter().filter(|file| !file.is_test() && file.path != "src/main.rs");
    let module = |path: &str| match path.trim_start_matches("src/").trim_end_matches(".rs") {
        "lib" => Path::new(),
        path => path.split('/').map(str::to_owned).collect(),
    };
    source.map(|file| (module(&file.path), file.code() + "\n")).collect()
}

fn drawn(modules: &[(&str, &str)]) -> Arrows {
    arrows(&modules.iter().map(|(path, code)| (segments(path), format!("{code}\n"))).collect())
}

#[test]
fn no_file_imports_another_that_imports_it() {
    let arrows = arrows(&crate_modules());
    let count: usize = arrows.values().map(BTreeMap::len).sum();
    assert!(count > 800, "only {count} arrows were read");
    let circles = circles(arrows);
    assert!(circles.is_empty(), "these imports run in circles:\n{}", circles.join("\n"));
}

#[test]
fn no_module_of_the_crate_imports_another_that_imports_it() {
    let mut whole = Arrows::new();
    for (from, there) in arrows(&crate_modules()) {
        for (to, names) in there.into_iter().filter(|(to, _)| to.first() != from.first()) {
            let [from, to] = [&from, &to].map(|path| path.iter().take(1).cloned().collect::<Path>());
            whole.entry(from).or_default().entry(to).or_default().extend(names);
        }
    }
    let circles = circles(whole);
    assert!(circles.is_empty(), "these imports run in circles:\n{}", circles.join("\n"));
}

#[test]
fn a_circle_is_seen_through_names_that_are_handed_on_and_paths_within_code() {
    let face =
        ("a", "mod b;\npub use b::Inner;\nuse crate::c::{\n    Outer,\n    d::{self, Deep as Shown},\n};");
    let ring =
        [face, ("a::b", "pub(super) use super::super::c::Outer as O;\nlet o = crate::c::Outer::new();")];
    let back = drawn(&[ring[0], ring[1], ("c", "use crate::a;\nfn f() { a::Inner::new() }"), ("c::d", "")]);
    let said = ["a::b takes {\"Outer\"} from c", "c takes {\"Inner\"} from a::b"];
    assert_eq!(circles(back.clone()), said);
    assert_eq!(back[&segments("a")].keys().map(|to| to.join("::")).collect::<Vec<_>>(), ["c", "c::d"]);
    assert_eq!(circles(drawn(&[ring[0], ring[1], ("c", "use std::a;"), ("c::d", "")])), Vec::<String>::new());
}

#[test]
fn a_file_may_stand_on_the_module_that_it_is_part_of_and_on_no_sibling_that_stands_on_it() {
    let parent = ("a", "use b::Part;\npub struct Error;");
    assert_eq!(circles(drawn(&[parent, ("a::b", "use super::Error;")])), Vec::<String>::new());
    let siblings = [parent, ("a::b", "use super::c::C;"), ("a::c", "fn f(part: super::b::Part) {}")];
    assert_eq!(circles(drawn(&siblings)).len(), 2);
}
