//! Looking round in a server, for commissioning: which nodes are there, and what do they say?

use std::sync::Arc;

use opcua::client::Session;
use opcua::types::{
    AttributeId, BrowseDescription, BrowseDirection, ByteString, DataValue, NodeClass, NodeId, ObjectId, QualifiedName,
    ReadValueId, ReferenceDescription, ReferenceTypeId, StatusCode, TimestampsToReturn, VariableId, Variant,
};

use super::connect::{CannotConnect, Connection, connect, own};
use super::node::{Namespaces, NodeAddress};
use super::quality::Taken;
use super::settings::{Item, ServerSettings};

/// References in one answer.
const REFERENCES_MAX: u32 = 500;
/// How often one node's references may go on in a further answer.
const PAGES_MAX: usize = 50;
/// Values in one request.
const READS_MAX: usize = 100;
/// Longest value that is shown.
const SHOWN_MAX: usize = 80;

/// How far to look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reach {
    /// How many steps down.
    pub depth: usize,
    /// How many nodes at most.
    pub nodes: usize,
}

/// One node.
#[derive(Clone, Debug, PartialEq)]
pub struct Row {
    /// How far down.
    pub depth: usize,
    /// As it is written in a station's file.
    pub node: String,
    /// What it is called.
    pub name: String,
    /// Whether it holds a value, and if not what it is.
    pub kind: String,
    /// Its value in short; none if it holds none.
    pub value: Option<String>,
    /// What the server says of the value.
    pub status: Option<String>,
    /// Whether the user may write it.
    pub writable: bool,
}

/// What a look round brought.
#[derive(Clone, Debug, PartialEq)]
pub struct Survey {
    /// The nodes, each below the one that leads to it.
    pub rows: Vec<Row>,
    /// Whether there is more than was looked at.
    pub is_cut: bool,
}

/// Looks round below a node; below Objects if none is given.
///
/// # Errors
/// No session, or the server does not let itself be looked at.
pub async fn browse(
    settings: ServerSettings,
    from: Option<NodeAddress>,
    reach: Reach,
) -> Result<Survey, CannotConnect> {
    let url = settings.url.clone();
    let connection = connection(settings).await?;
    let outcome = survey(&connection.session, from, reach).await;
    connection.close().await;
    outcome.map_err(|(status, hint)| CannotConnect::Refused { url, status, hint })
}

/// What each item of a server says now, read once.
///
/// # Errors
/// No session.
pub async fn read_once(settings: ServerSettings) -> Result<Vec<ItemRow>, CannotConnect> {
    let (url, items) = (settings.url.clone(), settings.items.clone());
    let source_age_max = settings.source_age_max;
    let connection = connection(settings).await?;
    let outcome = read_items(&connection.session, &items, source_age_max).await;
    connection.close().await;
    outcome.map_err(|(status, hint)| CannotConnect::Refused { url, status, hint })
}

/// What one item said.
#[derive(Clone, Debug)]
pub struct ItemRow {
    /// The item.
    pub item: Item,
    /// The value as it came, in short.
    pub raw: String,
    /// What the server says of it.
    pub status: String,
    /// What it means.
    pub sample: heatstation_points::Sample,
}

async fn connection(settings: ServerSettings) -> Result<Connection, CannotConnect> {
    let own = own(&settings).await?;
    connect(Arc::new(settings), own).await
}

type Refusal = (StatusCode, &'static str);

async fn namespaces(session: &Session) -> Result<Namespaces, Refusal> {
    let node = NodeId::from(VariableId::Server_NamespaceArray);
    let answer = session
        .read(&[ReadValueId::from(node)], TimestampsToReturn::Neither, 0.0)
        .await
        .map_err(|error| (error.status(), "its namespaces cannot be read"))?;
    let Some(Variant::Array(array)) = answer.into_iter().next().and_then(|data| data.value) else {
        return Err((StatusCode::BadNoValue, "it does not say which namespaces it has"));
    };
    let uris = array.values.into_iter().take(usize::from(u16::MAX)).enumerate();
    Ok(Namespaces::new(uris.map(|(number, uri)| (uri.to_string(), number as u16)).collect()))
}

async fn survey(session: &Session, from: Option<NodeAddress>, reach: Reach) -> Result<Survey, Refusal> {
    let namespaces = namespaces(session).await?;
    let root = match from {
        None => NodeId::from(ObjectId::ObjectsFolder),
        Some(address) => address
            .resolve(&namespaces)
            .ok_or((StatusCode::BadNodeIdUnknown, "it has no such namespace; look round without --node first"))?,
    };
    let mut found: Vec<(usize, ReferenceDescription)> = Vec::new();
    let mut met = std::collections::HashSet::from([root.clone()]);
    // Depth first, so that each node stands below the one that leads to it; the stack is bounded by what may be shown.
    let mut stack: Vec<(usize, Option<ReferenceDescription>, NodeId)> = vec![(0, None, root)];
    let mut is_cut = false;
    while let Some((depth, reference, node)) = stack.pop() {
        if let Some(reference) = reference {
            if reach.nodes <= found.len() {
                is_cut = true;
                break;
            }
            found.push((depth, reference));
        }
        if reach.depth <= depth {
            continue;
        }
        let below = references(session, &node).await?;
        for reference in below.into_iter().rev() {
            // A node that two lead to is shown once, and a ring has an end.
            let target = reference.node_id.node_id.clone();
            if stack.len() + found.len() < reach.nodes.saturating_mul(2) && met.insert(target.clone()) {
                stack.push((depth + 1, Some(reference), target));
            }
        }
    }
    let rows = rows(session, &namespaces, found).await?;
    Ok(Survey { rows, is_cut })
}

async fn references(session: &Session, node: &NodeId) -> Result<Vec<ReferenceDescription>, Refusal> {
    let hint = "it does not let itself be looked at here";
    let wanted = BrowseDescription {
        node_id: node.clone(),
        browse_direction: BrowseDirection::Forward,
        reference_type_id: ReferenceTypeId::HierarchicalReferences.into(),
        include_subtypes: true,
        // Objects, variables and methods (OPC 10000-4, 5.9.2.2).
        node_class_mask: 1 | 2 | 4,
        result_mask: 0x3F,
    };
    let mut answer = session.browse(&[wanted], REFERENCES_MAX, None).await.map_err(|error| (error.status(), hint))?;
    let mut all = Vec::new();
    for _ in 0..PAGES_MAX {
        let Some(result) = answer.pop() else { break };
        if result.status_code.is_bad() {
            return Err((result.status_code, hint));
        }
        all.extend(result.references.unwrap_or_default());
        let further: ByteString = result.continuation_point;
        if further.is_null_or_empty() {
            break;
        }
        answer = session.browse_next(false, &[further]).await.map_err(|error| (error.status(), hint))?;
    }
    Ok(all)
}

async fn rows(
    session: &Session,
    namespaces: &Namespaces,
    found: Vec<(usize, ReferenceDescription)>,
) -> Result<Vec<Row>, Refusal> {
    let mut rows = Vec::with_capacity(found.len());
    for some in found.chunks(READS_MAX / 2) {
        let variables = || some.iter().filter(|(_, reference)| reference.node_class == NodeClass::Variable);
        let of = |reference: &ReferenceDescription, attribute: AttributeId| ReadValueId {
            node_id: reference.node_id.node_id.clone(),
            attribute_id: attribute as u32,
            data_encoding: QualifiedName::null(),
            ..ReadValueId::default()
        };
        let wanted: Vec<ReadValueId> = variables()
            .flat_map(|(_, reference)| [of(reference, AttributeId::Value), of(reference, AttributeId::UserAccessLevel)])
            .collect();
        let answers = if wanted.is_empty() {
            Vec::new()
        } else {
            session
                .read(&wanted, TimestampsToReturn::Both, 0.0)
                .await
                .map_err(|error| (error.status(), "its values cannot be read"))?
        };
        let mut answers = answers.chunks(2);
        for (depth, reference) in some {
            let answer = (reference.node_class == NodeClass::Variable).then(|| answers.next()).flatten();
            rows.push(row(*depth, reference, namespaces, answer));
        }
    }
    Ok(rows)
}

fn row(depth: usize, reference: &ReferenceDescription, namespaces: &Namespaces, answer: Option<&[DataValue]>) -> Row {
    let value = answer.and_then(|answer| answer.first());
    let access = answer.and_then(|answer| answer.get(1)).and_then(|data| data.value.as_ref());
    Row {
        depth,
        node: namespaces.durable(&reference.node_id.node_id).to_string(),
        name: plain(reference.display_name.text.as_ref()),
        kind: value
            .and_then(|data| data.value.as_ref())
            .map_or_else(|| format!("{:?}", reference.node_class).to_lowercase(), |value| kind(value).to_lowercase()),
        value: value.map(|data| data.value.as_ref().map_or_else(|| "-".to_owned(), shown)),
        status: value.map(|data| data.status.unwrap_or(StatusCode::Good).to_string()),
        // Bit 1 of the access level: the current value may be written (OPC 10000-3, 8.57).
        writable: matches!(access, Some(Variant::Byte(bits)) if bits & 2 != 0),
    }
}

fn kind(value: &Variant) -> String {
    match value {
        Variant::Array(array) => format!("{:?}[{}]", array.value_type, array.values.len()),
        other => other.scalar_type_id().map_or_else(|| "empty".to_owned(), |kind| format!("{kind:?}")),
    }
}

fn shown(value: &Variant) -> String {
    match value {
        Variant::Empty => "-".to_owned(),
        Variant::ExtensionObject(_) => "(a structure)".to_owned(),
        Variant::Array(array) => {
            let some: Vec<String> = array.values.iter().take(8).map(shown).collect();
            let more = if array.values.len() > some.len() { ", …" } else { "" };
            plain(&format!("[{}{more}]", some.join(", ")))
        }
        other => plain(&other.to_string()),
    }
}

/// Without what would move the cursor of a terminal, and not longer than a line.
fn plain(text: &str) -> String {
    let mut out: String = text.chars().filter(|c| !c.is_control()).take(SHOWN_MAX).collect();
    if text.chars().count() > SHOWN_MAX {
        out.push('…');
    }
    out
}

async fn read_items(
    session: &Session,
    items: &[Item],
    source_age_max: Option<std::time::Duration>,
) -> Result<Vec<ItemRow>, Refusal> {
    let namespaces = namespaces(session).await?;
    let mut rows = Vec::with_capacity(items.len());
    for some in items.chunks(READS_MAX) {
        let node_of = |item: &Item| {
            let index_range = item.index.map_or(opcua::types::NumericRange::None, opcua::types::NumericRange::Index);
            let node_id = item.node.resolve(&namespaces)?;
            Some(ReadValueId {
                node_id,
                attribute_id: AttributeId::Value as u32,
                index_range,
                ..ReadValueId::default()
            })
        };
        let wanted: Vec<ReadValueId> = some.iter().filter_map(node_of).collect();
        let answers = if wanted.is_empty() {
            Vec::new()
        } else {
            session
                .read(&wanted, TimestampsToReturn::Both, 0.0)
                .await
                .map_err(|error| (error.status(), "its values cannot be read"))?
        };
        let mut answers = answers.into_iter();
        for item in some {
            let missing = || DataValue { status: Some(StatusCode::BadNodeIdUnknown), ..DataValue::default() };
            let data = node_of(item).and_then(|_| answers.next()).unwrap_or_else(missing);
            let Taken { value, doubt, source_time, .. } = Taken::of(item, source_age_max, &data);
            rows.push(ItemRow {
                raw: data.value.as_ref().map_or_else(|| "-".to_owned(), shown),
                status: data.status.unwrap_or(StatusCode::Good).to_string(),
                sample: heatstation_points::Sample {
                    point: item.point(),
                    value,
                    taken_at: std::time::Duration::ZERO,
                    doubt,
                    source_time,
                },
                item: item.clone(),
            });
        }
    }
    Ok(rows)
}
