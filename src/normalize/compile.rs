//! Compiles an [`EventSpec`] into a [`Normalizer`] at start, and says all that is wrong with it at once.

use super::{
    AllowPart, AllowSpec, EventSpec, Format, Normalizer, RuleSpec, Shape,
    form::{Allow, Form, Rule},
    json::Pointers,
    template::Template,
};
use axum::http::HeaderName;

/// One thing that is wrong with the `event` part of a sender document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CompileError {
    /// The field, as `event.rules.2.key`.
    pub field: String,
    /// What is wrong with it.
    pub problem: String,
}

/// Gathers problems while parts are compiled.
struct Compiler {
    pointers: Pointers,
    errors: Vec<CompileError>,
}

impl Normalizer {
    /// Compiles a sender's `event` part for one source.
    ///
    /// `sender` and `source_name` make the envelope's `source`; `withheld` are headers that carry a credential
    /// and are never kept. Returns every problem of the document.
    pub fn compile(
        spec: &EventSpec,
        sender: &str,
        source_name: &str,
        withheld: Vec<HeaderName>,
    ) -> Result<Self, Vec<CompileError>> {
        let mut compiler = Compiler { pointers: Pointers::new(), errors: Vec::new() };
        let whole = [Shape::default()];
        let shapes = spec.shapes.as_deref().filter(|shapes| !shapes.is_empty()).unwrap_or(&whole);
        let forms = shapes.iter().map(|shape| compiler.form(spec, shape)).collect();
        if !compiler.errors.is_empty() {
            // Each shape compiles the same templates again; one report of each problem is enough.
            compiler.errors.dedup();
            return Err(compiler.errors);
        }
        Ok(Self {
            source_name: source_name.into(),
            source: format!("/{sender}/{source_name}").into(),
            format: spec.format.unwrap_or(Format::Any),
            pointers: compiler.pointers,
            forms,
            withheld,
        })
    }
}

impl Compiler {
    fn form(&mut self, spec: &EventSpec, shape: &Shape) -> Form {
        let root = shape.root.as_deref().unwrap_or("");
        let has = shape.has.as_ref().map(|has| match has.strip_prefix('.') {
            Some(below) => self.pointers.add(&format!("{root}{below}")),
            None => self.pointers.add(has),
        });
        let kind = spec.kind.as_deref().unwrap_or("webhook");
        let rules = match spec.rules.as_deref() {
            Some(rules) if !rules.is_empty() => rules,
            Some(_) | None => &[RuleSpec::default()][..],
        };
        Form {
            has,
            prefix: spec.type_prefix.clone().filter(|prefix| !prefix.is_empty()),
            kind: self.template("event.type", kind, root),
            account: self.optional("event.account", spec.account.as_deref(), root),
            time: self.optional("event.time", spec.time.as_deref(), root),
            rules: rules
                .iter()
                .enumerate()
                .map(|(i, rule)| self.rule(i, rule, &spec.defaults, root))
                .collect(),
            allow: spec
                .allow
                .iter()
                .flatten()
                .filter_map(|(name, allow)| self.allow(name, allow, root))
                .collect(),
        }
    }

    fn rule(&mut self, index: usize, rule: &RuleSpec, defaults: &RuleSpec, root: &str) -> Rule {
        let field = |name: &str| format!("event.rules.{index}.{name}");
        let id = rule.id.as_deref().or(defaults.id.as_deref()).unwrap_or("sha256:{sha256}");
        Rule {
            when: rule.when.clone().unwrap_or_default(),
            object: self.optional(
                &field("object"),
                rule.object.as_deref().or(defaults.object.as_deref()),
                root,
            ),
            object_id: self.optional(
                &field("object_id"),
                rule.object_id.as_deref().or(defaults.object_id.as_deref()),
                root,
            ),
            key: self.optional(&field("key"), rule.key.as_deref().or(defaults.key.as_deref()), root),
            id: self.template(&field("id"), id, root),
        }
    }

    fn allow(&mut self, name: &str, allow: &AllowSpec, root: &str) -> Option<Allow> {
        let values = allow.values.as_ref()?;
        let field = format!("event.allow.{name}.at");
        let Some(at) = &allow.at else {
            self.errors.push(CompileError {
                field,
                problem: "expected the slot whose values are listed".to_owned(),
            });
            return None;
        };
        Some(Allow {
            name: name.to_owned(),
            at: self.template(&field, at, root),
            part: allow.part.unwrap_or(AllowPart::Value),
            values: values.iter().map(ToString::to_string).collect(),
            required: allow.required.unwrap_or(false),
        })
    }

    fn optional(&mut self, field: &str, text: Option<&str>, root: &str) -> Option<Template> {
        text.map(|text| self.template(field, text, root))
    }

    fn template(&mut self, field: &str, text: &str, root: &str) -> Template {
        Template::compile(text, root, &mut self.pointers).unwrap_or_else(|problem| {
            self.errors.push(CompileError { field: field.to_owned(), problem });
            Template::default()
        })
    }
}
