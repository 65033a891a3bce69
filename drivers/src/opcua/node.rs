//! How a node is written down, and what it is called on one connection.
//!
//! A server numbers its namespaces anew when it starts; what stays is the namespace's URI. `nsu=http://plc.example/;s=Tout`
//! therefore names a node for good, `ns=3;s=Tout` only until somebody loads another library into the server. The number is
//! looked up at each connection, never kept.

use std::collections::HashMap;
use std::fmt;
use std::str::FromStr;

use opcua::types::{Identifier, NodeId};

/// A node as it is written in a station's file.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct NodeAddress {
    namespace: Namespace,
    identifier: Identifier,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Namespace {
    Uri(String),
    Number(u16),
}

/// It is not written as a node is.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not a node, as in \"nsu=http://plc.example/;s=Heating.Tout\" or \"nsu=http://plc.example/;i=1042\"")]
pub struct NotANode(String);

impl FromStr for NodeAddress {
    type Err = NotANode;

    fn from_str(text: &str) -> Result<NodeAddress, NotANode> {
        let wrong = || NotANode(text.to_owned());
        let (namespace, rest) = match text.strip_prefix("nsu=") {
            Some(rest) => {
                let (uri, rest) = rest.split_once(';').ok_or_else(wrong)?;
                // OPC 10000-6, 5.1.12: a semicolon and a percent sign of the URI are written as %3B and %25.
                let uri = uri.replace("%3B", ";").replace("%3b", ";").replace("%25", "%");
                if uri.is_empty() || rest.starts_with("ns=") {
                    return Err(wrong());
                }
                (Some(uri), rest)
            }
            None => (None, text),
        };
        let node = NodeId::from_str(rest).map_err(|_| wrong())?;
        let namespace = namespace.map_or(Namespace::Number(node.namespace), Namespace::Uri);
        Ok(NodeAddress { namespace, identifier: node.identifier })
    }
}

impl fmt::Display for NodeAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.namespace {
            Namespace::Uri(uri) => {
                let uri = uri.replace('%', "%25").replace(';', "%3B");
                write!(f, "nsu={uri};{}", self.identifier)
            }
            Namespace::Number(0) => write!(f, "{}", self.identifier),
            Namespace::Number(number) => write!(f, "ns={number};{}", self.identifier),
        }
    }
}

impl NodeAddress {
    /// Whether it is named by a number that may mean another namespace tomorrow. Number 0 is OPC UA's own for ever.
    pub fn is_by_number(&self) -> bool {
        matches!(self.namespace, Namespace::Number(1..))
    }

    /// The namespace's URI, if it is named by one.
    pub fn uri(&self) -> Option<&str> {
        match &self.namespace {
            Namespace::Uri(uri) => Some(uri),
            Namespace::Number(_) => None,
        }
    }

    /// What it is called on a connection with these namespaces; none if the server does not have its namespace.
    pub fn resolve(&self, namespaces: &Namespaces) -> Option<NodeId> {
        let number = match &self.namespace {
            Namespace::Uri(uri) => *namespaces.by_uri.get(uri)?,
            Namespace::Number(number) => *number,
        };
        Some(NodeId::new(number, self.identifier.clone()))
    }
}

/// The namespaces of a server as it numbers them now.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Namespaces {
    by_uri: HashMap<String, u16>,
}

impl Namespaces {
    /// From the server's list.
    pub fn new(by_uri: HashMap<String, u16>) -> Namespaces {
        Namespaces { by_uri }
    }

    /// A node as the server calls it, written so that it stays right.
    pub fn durable(&self, node: &NodeId) -> NodeAddress {
        let uri = self.by_uri.iter().find(|(_, number)| **number == node.namespace && node.namespace != 0);
        let namespace = uri.map_or(Namespace::Number(node.namespace), |(uri, _)| Namespace::Uri(uri.clone()));
        NodeAddress { namespace, identifier: node.identifier.clone() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn namespaces(numbers: &[(&str, u16)]) -> Namespaces {
        Namespaces::new(numbers.iter().map(|(uri, number)| ((*uri).to_owned(), *number)).collect())
    }

    #[test]
    fn a_node_is_written_and_read_alike() {
        for text in [
            "nsu=http://plc.example/;s=Heating.Tout",
            "nsu=urn:plc%3B1;i=1042",
            "ns=3;s=A;B=C",
            "i=2258",
            "ns=2;g=72962b91-fa75-4ae6-8d28-b404dc7daf63",
        ] {
            assert_eq!(text.parse::<NodeAddress>().unwrap().to_string(), text);
        }
        for text in ["", "Tout", "nsu=http://plc.example/", "nsu=;s=a", "nsu=urn:a;ns=2;s=a", "ns=70000;i=1", "s="] {
            assert!(text.parse::<NodeAddress>().is_err(), "{text}");
        }
    }

    #[test]
    fn a_namespace_that_moved_is_found_again_and_one_that_is_gone_is_not_guessed() {
        let node: NodeAddress = "nsu=urn:plc;s=Tout".parse().unwrap();
        assert_eq!(node.resolve(&namespaces(&[("urn:plc", 2)])).unwrap().to_string(), "ns=2;s=Tout");
        assert_eq!(node.resolve(&namespaces(&[("urn:other", 2), ("urn:plc", 3)])).unwrap().to_string(), "ns=3;s=Tout");
        assert_eq!(node.resolve(&namespaces(&[("urn:other", 2)])), None);
    }

    #[test]
    fn what_a_browse_shows_stays_right() {
        let shown = namespaces(&[("urn:plc", 2)]).durable(&NodeId::new(2, "Tout"));
        assert_eq!(shown.to_string(), "nsu=urn:plc;s=Tout");
    }
}
