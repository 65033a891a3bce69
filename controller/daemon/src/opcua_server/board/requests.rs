//! What became of the wishes that came through this server: the last one, and a list of those before.

use std::sync::Arc;

use opcua::types::{Array, DataTypeId, Variant, VariantScalarTypeId as ScalarTypeId};

use super::{Answers, Board, Kind, Row, Said, time_of};
use crate::opcua_server::door::Filed;

pub(super) fn rows(board: &mut Board, answers: &Arc<impl Answers>) {
    let shelf = board.names.of_station("Requests");
    board.shelf(shelf.clone(), board.names.station(), "Requests", "请求结果");
    let mut add = |name: &str, chinese: &str, english: &str, kind: Kind, of: fn(&[Filed]) -> Said| {
        let answers = Arc::clone(answers);
        board.rows.push(Row {
            id: board.names.of_station(&format!("Requests.{name}")),
            under: shelf.clone(),
            browse: name.to_owned(),
            chinese: chinese.to_owned(),
            english: english.to_owned(),
            kind,
            setpoint: None,
            source: Box::new(move |_| of(&answers.answers())),
        });
    };
    let text = || Kind::Plain(DataTypeId::String);
    add(
        "LastNumber",
        "最近请求编号",
        "the number of the last wish; 0: none yet",
        Kind::Plain(DataTypeId::UInt64),
        |all| Said::good(all.last().map_or(0, |filed| filed.ticket)),
    );
    add("LastAuthor", "最近请求人", "who asked", text(), |all| {
        Said::maybe(all.last().map(|filed| filed.author.as_str()))
    });
    add("LastWhat", "最近请求对象", "the node or method", text(), |all| {
        Said::maybe(all.last().map(|filed| filed.what.as_str()))
    });
    add("LastWanted", "最近请求值", "what was wanted", text(), |all| {
        Said::maybe(all.last().map(|filed| filed.wanted.as_str()))
    });
    add("LastTime", "最近请求时间", "when", Kind::Plain(DataTypeId::UtcTime), |all| {
        Said::maybe(all.last().map(|filed| time_of(filed.at)))
    });
    add("LastOutcome", "最近请求结果", "waiting, granted, or refused and why", text(), |all| {
        Said::maybe(all.last().map(|filed| filed.outcome.words()))
    });
    add("Recent", "近期请求", "the last wishes, newest last", Kind::List(DataTypeId::String), |all| {
        let lines = all.iter().map(|filed| {
            let Filed { ticket, author, what, wanted, outcome, .. } = filed;
            Variant::from(format!("#{ticket} {author}: {what} = {wanted}: {}", outcome.words()))
        });
        let lines = Array::new(ScalarTypeId::String, lines.collect::<Vec<_>>());
        Said::good(lines.map_or(Variant::Empty, |lines| Variant::Array(Box::new(lines))))
    });
}
