//! The nodes of the station as the library asks for them: reading is from memory, writing and calling go to the door.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use async_trait::async_trait;
use opcua::server::address_space::AddressSpace;
use opcua::server::diagnostics::NamespaceMetadata;
use opcua::server::node_manager::memory::{InMemoryNodeManager, InMemoryNodeManagerImpl};
use opcua::server::node_manager::{MethodCall, RequestContext, ServerContext, WriteNode};
use opcua::sync::RwLock as Lock;
use opcua::types::{AttributeId, NodeId, NumericRange, StatusCode, Variant};

use super::board::Board;
use super::door::{Asked, Door, Operator, Outcome};
use super::names::{NAMESPACE, text_of};
use super::tree::put_up;
use super::wishes::{Method, Setpoint, status_of_refusal};
use crate::snapshot::Snapshot;

/// How long a call waits for the control to say yes or no: a few cycles.
const ANSWER_WITHIN: Duration = Duration::from_secs(4);

/// What is behind the nodes that can be written or called.
#[derive(Debug, Default)]
struct Behind {
    setpoints: HashMap<NodeId, Setpoint>,
    methods: HashMap<NodeId, Method>,
    nodes: HashSet<NodeId>,
}

/// The nodes.
pub struct StationNodes {
    namespace: NamespaceMetadata,
    door: Arc<Door>,
    behind: RwLock<Behind>,
}

/// The nodes with the memory that they lie in.
pub type Nodes = InMemoryNodeManager<StationNodes>;

impl StationNodes {
    /// Nodes of a board, in a new address space.
    pub fn build(
        context: &ServerContext,
        space: &mut AddressSpace,
        door: Arc<Door>,
        make: impl FnOnce(u16) -> Board,
    ) -> StationNodes {
        let index = context.type_tree.write().namespaces_mut().add_namespace(NAMESPACE);
        space.add_namespace(NAMESPACE, index);
        let namespace = NamespaceMetadata {
            namespace_uri: NAMESPACE.to_owned(),
            namespace_index: index,
            ..NamespaceMetadata::default()
        };
        let nodes = StationNodes { namespace, door, behind: RwLock::default() };
        nodes.show(space, &make(index));
        nodes
    }

    /// The index of the namespace on this server.
    pub fn index(&self) -> u16 {
        self.namespace.namespace_index
    }

    /// Puts up another board.
    pub fn show(&self, space: &mut AddressSpace, board: &Board) {
        let mut behind = self.behind.write().unwrap_or_else(PoisonError::into_inner);
        let nodes = put_up(space, board, &behind.nodes);
        let setpoints = board.rows.iter().filter_map(|row| Some((row.id.clone(), row.setpoint?))).collect();
        let methods = board.handles.iter().map(|handle| (handle.id.clone(), handle.method)).collect();
        *behind = Behind { setpoints, methods, nodes };
    }

    fn setpoint(&self, id: &NodeId) -> Option<Setpoint> {
        self.behind.read().unwrap_or_else(PoisonError::into_inner).setpoints.get(id).copied()
    }

    fn method(&self, id: &NodeId) -> Option<Method> {
        self.behind.read().unwrap_or_else(PoisonError::into_inner).methods.get(id).copied()
    }

    /// One write. All that can be wrong with it is looked at here: the library checks nothing once a write is taken over.
    fn write_one(&self, context: &RequestContext, write: &WriteNode, asked: &mut Asked) -> Result<u64, StatusCode> {
        let value = write.value();
        let Some(setpoint) = self.setpoint(&value.node_id) else { return Err(StatusCode::BadNotWritable) };
        let operator = self.door.operator(context).ok_or(StatusCode::BadUserAccessDenied)?;
        if value.attribute_id != AttributeId::Value {
            return Err(StatusCode::BadNotWritable);
        }
        if value.index_range != NumericRange::None || value.value.status.is_some_and(|status| !status.is_good()) {
            return Err(StatusCode::BadWriteNotSupported);
        }
        let Some(Variant::Double(number)) = value.value.value else { return Err(StatusCode::BadTypeMismatch) };
        let snapshot = self.door.snapshot().ok_or(StatusCode::BadWaitingForInitialData)?;
        "written".clone_into(&mut asked.reason);
        self.file_number(&operator, setpoint, number, &snapshot, asked)
    }

    fn file_number(
        &self,
        operator: &Operator,
        setpoint: Setpoint,
        number: f64,
        snapshot: &Snapshot,
        asked: &Asked,
    ) -> Result<u64, StatusCode> {
        let now = self.door.correction(snapshot, setpoint.circuit);
        let wish = setpoint.wish(&snapshot.facts.settings, now, number, self.door.wish_lasts())?;
        self.door.file(operator, &wish, asked)
    }

    fn call_one(&self, context: &RequestContext, call: &MethodCall, asked: &mut Asked) -> Result<u64, StatusCode> {
        let method = self.method(call.method_id()).ok_or(StatusCode::BadMethodInvalid)?;
        let operator = self.door.operator(context).ok_or(StatusCode::BadUserAccessDenied)?;
        let snapshot = self.door.snapshot().ok_or(StatusCode::BadWaitingForInitialData)?;
        let facts = &snapshot.facts;
        let (wish, reason) = method.wish(call.arguments(), &facts.settings, &facts.catalogue)?;
        asked.reason = reason;
        self.door.file(&operator, &wish, asked)
    }
}

#[allow(clippy::mut_mut, reason = "the library's trait has it so")]
#[async_trait]
impl InMemoryNodeManagerImpl for StationNodes {
    async fn init(&self, _: &mut AddressSpace, _: ServerContext) {}

    fn name(&self) -> &'static str {
        "station"
    }

    fn namespaces(&self) -> Vec<NamespaceMetadata> {
        vec![self.namespace.clone()]
    }

    async fn write(
        &self,
        context: &RequestContext,
        space: &Lock<AddressSpace>,
        writes: &mut [&mut WriteNode],
    ) -> Result<(), StatusCode> {
        let caller = Door::caller(context);
        for write in writes {
            let id = write.value().node_id.clone();
            if space.read().find(&id).is_none() {
                write.set_status(StatusCode::BadNodeIdUnknown);
                continue;
            }
            let mut asked = Asked {
                what: text_of(&id).to_owned(),
                before: before(&space.read(), &id),
                wanted: write.value().value.value.as_ref().map_or_else(String::new, shown),
                reason: String::new(),
            };
            let answer = self.write_one(context, write, &mut asked).err().unwrap_or(StatusCode::Good);
            self.door.record(&caller, &asked, answer);
            write.set_status(answer);
        }
        Ok(())
    }

    async fn call(
        &self,
        context: &RequestContext,
        _: &Lock<AddressSpace>,
        calls: &mut [&mut &mut MethodCall],
    ) -> Result<(), StatusCode> {
        let caller = Door::caller(context);
        for call in calls {
            let mut asked = Asked {
                what: text_of(call.method_id()).to_owned(),
                wanted: call.arguments().iter().map(shown).collect::<Vec<_>>().join(", "),
                ..Asked::default()
            };
            let filed = self.call_one(context, call, &mut asked);
            let (answer, outcome) = match filed {
                Err(refused) => (refused, None),
                Ok(ticket) => {
                    // On record before the answer is waited for: what was asked, even if the power goes meanwhile.
                    self.door.record(&caller, &asked, StatusCode::Good);
                    match self.door.outcome(ticket, ANSWER_WITHIN).await {
                        Outcome::Granted => (StatusCode::Good, Some(Outcome::Granted)),
                        // Filed, and nobody has answered yet; `Requests` will show it.
                        Outcome::Waiting => (StatusCode::GoodCompletesAsynchronously, Some(Outcome::Waiting)),
                        Outcome::Refused(refusal) => {
                            call.set_status(status_of_refusal(refusal));
                            continue;
                        }
                    }
                }
            };
            match outcome {
                Some(outcome) => call.set_outputs(vec![Variant::from(outcome.words())]),
                None => self.door.record(&caller, &asked, answer),
            }
            call.set_status(answer);
        }
        Ok(())
    }
}

/// A value as the records say it.
fn shown(value: &Variant) -> String {
    match value {
        Variant::Double(number) => number.to_string(),
        Variant::String(text) => text.as_ref().to_owned(),
        Variant::Boolean(yes) => yes.to_string(),
        other => format!("{:?}", other.type_id()),
    }
}

fn before(space: &AddressSpace, id: &NodeId) -> String {
    use opcua::server::address_space::NodeType;
    use opcua::types::{DataEncoding, TimestampsToReturn};
    let Some(NodeType::Variable(variable)) = space.find(id) else { return String::new() };
    let value = variable.value(TimestampsToReturn::Neither, &NumericRange::None, &DataEncoding::Binary, 0.0);
    value.value.as_ref().map_or_else(String::new, shown)
}
