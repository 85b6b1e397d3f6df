//! What a path finds in a value.

use std::borrow::Cow;
use std::cmp::Ordering;

use serde_json::{Map, Value};

use super::node::Node;
use super::{Comparison, Expression, Function, Operand, Path, Step, Subscript};
use crate::python;

/// How many nodes are looked at in all.
const MOST_VISITS: usize = 10_000_000;
/// How many nodes one step may find.
const MOST_NODES: usize = 1_000_000;

pub(super) fn matches<'a>(
    path: &Path,
    root: &'a Value,
    without_case: Option<&'a Map<String, Value>>,
) -> Result<Vec<Cow<'a, Value>>, String> {
    let root = Node::Found(root);
    let mut search = Search { root: root.clone(), without_case, left: MOST_VISITS };
    let nodes = search.path(path, &root)?;
    nodes.into_iter().map(|node| search.value(node)).collect()
}

type Nodes<'a> = Result<Vec<Node<'a>>, String>;

struct Search<'a> {
    root: Node<'a>,
    without_case: Option<&'a Map<String, Value>>,
    /// How many more nodes may be looked at.
    left: usize,
}

impl<'a> Search<'a> {
    fn visit(&mut self, nodes: usize) -> Result<(), String> {
        self.left = self.left.checked_sub(nodes).ok_or("the path has to look at too much")?;
        Ok(())
    }

    /// Step by step and not match by match: the order is the same, and no path is too long for the stack.
    fn path(&mut self, path: &Path, current: &Node<'a>) -> Nodes<'a> {
        let mut nodes = vec![if path.from_root { self.root.clone() } else { current.clone() }];
        for step in &path.steps {
            if step.descend {
                nodes = self.with_all_below(nodes)?;
            }
            nodes = self.step(step, &nodes)?;
            if nodes.is_empty() {
                break;
            }
        }
        Ok(nodes)
    }

    /// Each node, then those below it, depth first.
    fn with_all_below(&mut self, mut nodes: Vec<Node<'a>>) -> Nodes<'a> {
        let mut all = Vec::new();
        nodes.reverse();
        while let Some(node) = nodes.pop() {
            let children = node.children();
            self.visit(1 + children.len())?;
            nodes.extend(children.into_iter().rev());
            all.push(node);
            limit(&all)?;
        }
        Ok(all)
    }

    fn step(&mut self, step: &Step, nodes: &[Node<'a>]) -> Nodes<'a> {
        let mut found = Vec::new();
        for node in nodes {
            for subscript in &step.subscripts {
                self.visit(1)?;
                self.subscript(subscript, node, &mut found)?;
                limit(&found)?;
            }
        }
        Ok(found)
    }

    fn subscript(&mut self, subscript: &Subscript, node: &Node<'a>, found: &mut Vec<Node<'a>>) -> Result<(), String> {
        match subscript {
            Subscript::Key(key) => found.extend(self.member(node, key)),
            Subscript::Index(index) => found.extend(node.item(*index)),
            Subscript::Slice { start, end, step } => {
                if let Some(length) = node.length() {
                    for index in slice(length, *start, *end, *step)? {
                        self.visit(1)?;
                        found.extend(node.item(index));
                    }
                }
            }
            Subscript::Wildcard => {
                let children = node.children();
                self.visit(children.len())?;
                found.extend(children);
            }
            Subscript::Filter(expression) => {
                if self.holds(expression, node)? {
                    found.push(node.clone());
                }
            }
            Subscript::Path(path) => {
                for place in self.path(path, node)? {
                    if let Some(index) = place.index() {
                        found.extend(node.item(index));
                    } else if let Some(key) = place.text() {
                        found.extend(self.member(node, key));
                    }
                }
            }
            Subscript::Call(function, arguments) => self.call(*function, arguments, node, found)?,
        }
        Ok(())
    }

    fn member(&self, node: &Node<'a>, key: &str) -> Option<Node<'a>> {
        let map = node.mapping()?;
        let exact = map.get(key);
        let any_case = || {
            self.without_case.filter(|without_case| std::ptr::eq(*without_case, map))?;
            map.iter().find(|(known, _)| known.eq_ignore_ascii_case(key)).map(|(_, value)| value)
        };
        exact.or_else(any_case).map(Node::Found)
    }

    /// What a function gives for each combination of what its arguments find.
    fn call(
        &mut self,
        function: Function,
        arguments: &[Operand],
        node: &Node<'a>,
        found: &mut Vec<Node<'a>>,
    ) -> Result<(), String> {
        let mut indices = Vec::with_capacity(arguments.len());
        for argument in arguments {
            indices.push(match argument {
                Operand::Literal(value) => vec![Node::Found(value).index()],
                Operand::Path(path) => self.path(path, node)?.iter().map(Node::index).collect(),
            });
        }
        match (function, indices.as_slice()) {
            (Function::CharAt, [indices]) => {
                let Some(text) = node.text() else { return Ok(()) };
                for index in indices.iter().flatten() {
                    let length = text.chars().count();
                    self.visit(1 + length / 64)?;
                    let at = clamp(*index, length);
                    let within = usize::try_from(*index).is_ok() || index.unsigned_abs() <= length as u64;
                    found.extend(text.chars().nth(at).filter(|_| within).map(|c| Node::Text(c.to_string().into())));
                }
            }
            (Function::Substring, [from, to @ ..]) if to.len() <= 1 => {
                let Some(text) = node.text() else { return Ok(()) };
                let length = text.chars().count();
                let ends = to.first();
                for from in from {
                    for to in ends.map_or(&[Some(i64::MAX)][..], Vec::as_slice) {
                        self.visit(1 + length / 64)?;
                        let (Some(from), Some(to)) = (*from, *to) else { continue };
                        let (from, to) = (clamp(from, length), clamp(to, length));
                        let part: String = text.chars().take(to).skip(from).collect();
                        found.push(Node::Text(part.into()));
                        limit(found)?;
                    }
                }
            }
            (Function::Length, []) => {
                let length = node.length().or_else(|| node.text().map(|text| text.chars().count()));
                found.extend(length.map(Node::Number));
            }
            (Function::Keys | Function::Values | Function::Entries, []) => {
                if let Some(map) = node.mapping() {
                    self.visit(map.len())?;
                    let key = |key: &String| Node::Text(key.as_str().into());
                    found.push(match function {
                        Function::Keys => Node::list(map.keys().map(key)),
                        Function::Values => Node::list(map.values().map(Node::Found)),
                        _ => Node::list(map.iter().map(|(name, value)| Node::list([key(name), Node::Found(value)]))),
                    });
                } else if let Some(length) = node.length() {
                    self.visit(length)?;
                    found.push(match function {
                        Function::Keys => Node::list((0..length).map(Node::Number)),
                        Function::Values => node.clone(),
                        _ => {
                            let entries = node.children().into_iter().enumerate();
                            Node::list(entries.map(|(at, node)| Node::list([Node::Number(at), node])))
                        }
                    });
                }
            }
            _ => {}
        }
        Ok(())
    }

    fn holds(&mut self, expression: &Expression, node: &Node<'a>) -> Result<bool, String> {
        self.visit(1)?;
        match expression {
            Expression::And(all) => {
                for expression in all {
                    if !self.holds(expression, node)? {
                        return Ok(false);
                    }
                }
                Ok(true)
            }
            Expression::Or(any) => {
                for expression in any {
                    if self.holds(expression, node)? {
                        return Ok(true);
                    }
                }
                Ok(false)
            }
            Expression::Not(expression) => Ok(!self.holds(expression, node)?),
            Expression::Some(Operand::Literal(value)) => Ok(python::truthy(value)),
            Expression::Some(Operand::Path(path)) => Ok(!self.path(path, node)?.is_empty()),
            Expression::Compare(left, comparison, right) => {
                let mut lefts = self.operand(left, node)?;
                if matches!((left, right), (Operand::Path(_), Operand::Path(_))) {
                    // Of two paths, only the first that the left one finds is compared: the reference has used up the
                    // right ones by then.
                    lefts.truncate(1);
                }
                if lefts.is_empty() {
                    return Ok(false);
                }
                let rights = self.operand(right, node)?;
                for left in &lefts {
                    for right in &rights {
                        self.visit(1 + weight(left).min(weight(right)))?;
                        if compare(left, *comparison, right) {
                            return Ok(true);
                        }
                    }
                }
                Ok(false)
            }
        }
    }

    fn operand<'s>(&mut self, operand: &'s Operand, node: &Node<'a>) -> Result<Vec<Cow<'s, Value>>, String>
    where
        'a: 's,
    {
        match operand {
            Operand::Literal(value) => Ok(vec![Cow::Borrowed(value)]),
            Operand::Path(path) => {
                let nodes = self.path(path, node)?;
                nodes.into_iter().map(|node| self.value(node)).collect()
            }
        }
    }

    fn value(&mut self, node: Node<'a>) -> Result<Cow<'a, Value>, String> {
        self.visit(1)?;
        Ok(match node {
            Node::Found(value) => Cow::Borrowed(value),
            Node::Number(number) => Cow::Owned(number.into()),
            Node::Text(text) => Cow::Owned((*text).into()),
            Node::List(items) => {
                let mut values = Vec::with_capacity(items.len());
                for item in items.iter() {
                    let value = self.value(item.clone())?;
                    self.visit(weight(&value))?;
                    values.push(value.into_owned());
                }
                Cow::Owned(Value::Array(values))
            }
        })
    }
}

fn limit(nodes: &[Node<'_>]) -> Result<(), String> {
    if nodes.len() > MOST_NODES { Err("the path finds too much".to_owned()) } else { Ok(()) }
}

/// Roughly what it costs to copy or compare a value.
fn weight(value: &Value) -> usize {
    match value {
        Value::String(text) => 1 + text.len() / 64,
        Value::Array(items) => items.iter().map(weight).sum::<usize>() + 1,
        Value::Object(map) => map.values().map(weight).sum::<usize>() + 1,
        Value::Null | Value::Bool(_) | Value::Number(_) => 1,
    }
}

/// A place in a text of `length` characters, from the end if it is negative, and never outside.
fn clamp(place: i64, length: usize) -> usize {
    match usize::try_from(place) {
        Ok(place) => place.min(length),
        Err(_) => length.saturating_sub(usize::try_from(place.unsigned_abs()).unwrap_or(usize::MAX)),
    }
}

/// The indices of a slice in a list of `length` items. Negative ones among them count from the end again.
fn slice(length: usize, start: Option<i64>, end: Option<i64>, step: Option<i64>) -> Result<Vec<i64>, String> {
    let length = i64::try_from(length).unwrap_or(i64::MAX);
    let start = start.map_or(0, |start| if start < 0 { start.saturating_add(length).max(0) } else { start });
    let end = end.map_or(length, |end| if end < 0 { end.saturating_add(length) } else { end });
    let step = step.unwrap_or(1);
    if step == 0 {
        return Err("a slice of the path has a step of zero".to_owned());
    }
    let mut indices = Vec::new();
    let mut index = i128::from(start);
    if step < 0 && index >= i128::from(length) {
        // Those beyond the list find nothing: skip them at once.
        let beyond = index - i128::from(length) + 1;
        let size = i128::from(step).abs();
        index -= (beyond + size - 1) / size * size;
    }
    let (end, step) = (i128::from(end), i128::from(step));
    while (step > 0 && index < end.min(length.into())) || (step < 0 && index > end.max(-i128::from(length) - 1)) {
        indices.extend(i64::try_from(index));
        index += step;
    }
    Ok(indices)
}

fn compare(left: &Value, comparison: Comparison, right: &Value) -> bool {
    let is_number = |value: &Value| value.is_number() || value.is_boolean();
    let order = || if is_number(left) && is_number(right) { python::order(left, right) } else { None };
    match comparison {
        Comparison::Equal => python::equal(left, right),
        Comparison::NotEqual => !python::equal(left, right),
        Comparison::Less => order() == Some(Ordering::Less),
        Comparison::LessOrEqual => matches!(order(), Some(Ordering::Less | Ordering::Equal)),
        Comparison::Greater => order() == Some(Ordering::Greater),
        Comparison::GreaterOrEqual => matches!(order(), Some(Ordering::Greater | Ordering::Equal)),
    }
}
