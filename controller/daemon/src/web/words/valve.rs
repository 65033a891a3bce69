//! Tests and tuning of the valve in words.

use heatstation_core::auto_tune::{TuneEnd, TuneOrder, TuneStep, TunedPoint};
use heatstation_core::stiction_test::Outcome;
use heatstation_core::valve_health::Rung;

use super::Text;

/// The supply loop is treated otherwise.
pub(super) fn care(at: &str, rung: Rung) -> Text {
    let (zh, en) = rung.texts();
    Text::new(format!("{at}: 供温回路: {zh}"), format!("{at}: supply loop: {en}"))
}

/// The valve was tested.
pub(super) fn tested(at: &str, of: Outcome) -> Text {
    let of = outcome(of);
    Text::new(format!("{at}: 阀门测试: {}", of.zh), format!("{at}: valve tested: {}", of.en))
}

/// The loop is being tuned, or has been.
pub(super) fn tuned(at: &str, step: &TuneStep) -> Text {
    let step = tune_step(step);
    Text::new(format!("{at}: 自整定: {}", step.zh), format!("{at}: auto-tune: {}", step.en))
}

/// What a test of the valve has shown.
pub(in crate::web) fn outcome(outcome: Outcome) -> Text {
    let (zh, en) = match outcome {
        Outcome::Play(play) => {
            let percent = play.0 * 100.0;
            return Text::new(format!("间隙 {percent:.2} %"), format!("play {percent:.2} %"));
        }
        Outcome::DoesNotMove => ("动作后供温无响应", "it was moved and the supply did not answer"),
        Outcome::TooCoarse => ("最小行程过大", "its smallest stroke is too much"),
        Outcome::NotTheValve => ("阀门不动时供温仍波动", "the supply swings although the valve stands still"),
        Outcome::GivenUp => ("中止", "given up"),
    };
    Text::new(zh, en)
}

fn found(point: &TunedPoint) -> Text {
    let (gain, lag, dead_time) = (point.process.gain.0, point.process.lag, point.process.dead_time);
    let at = point.position.0 * 100.0;
    Text::new(
        format!("开度 {at:.0} %: 增益 {gain:.0} K, 时间常数 {lag:.0} s, 滞后 {dead_time:.0} s"),
        format!("at {at:.0} %: gain {gain:.0} K, lag {lag:.0} s, dead time {dead_time:.0} s"),
    )
}

/// How far a tuning has come.
fn tune_step(step: &TuneStep) -> Text {
    match step {
        TuneStep::Waiting => Text::new("等待工况稳定", "waiting for a steady plant"),
        TuneStep::Holding => Text::new("阀位保持", "the valve is held"),
        TuneStep::Period(number) => Text::new(format!("第 {number} 周期"), format!("period {number}")),
        TuneStep::Proposed(point) => {
            let found = found(point);
            Text::new(format!("结果待确认, {}", found.zh), format!("proposed, {}", found.en))
        }
        TuneStep::Accepted(point) => {
            let found = found(point);
            Text::new(format!("已生效, {}", found.zh), format!("in force, {}", found.en))
        }
        TuneStep::Ended(why) => {
            let why = tune_end(*why);
            Text::new(format!("未得结果: {}", why.0), format!("ended without a result: {}", why.1))
        }
        TuneStep::Forgotten => Text::new("结果已清除", "all results forgotten"),
    }
}

/// Why a tuning ended without a result.
pub(in crate::web) const fn tune_end(why: TuneEnd) -> (&'static str, &'static str) {
    match why {
        TuneEnd::Stopped => ("人工停止", "stopped by a person"),
        TuneEnd::NeverSteady => ("工况不稳定", "the plant was not steady for two hours"),
        TuneEnd::TooCoarse => ("阀门分辨率不足", "the valve resolves too little"),
        TuneEnd::TooFar => ("供温偏离过大", "the supply went further than 2 K"),
        TuneEnd::Drifted => ("设定值或一次供温漂移", "setpoint or primary supply moved"),
        TuneEnd::NoAnswer => ("供温无响应", "the supply did not answer"),
        TuneEnd::Unalike => ("周期不一致", "no three periods were alike"),
        TuneEnd::Implausible => ("结果不合理", "what came out is no plant"),
        TuneEnd::Interrupted => ("被中断", "interrupted"),
    }
}

/// What an operator asks of the tuning.
pub(super) const fn tune_order(order: TuneOrder) -> (&'static str, &'static str) {
    match order {
        TuneOrder::Start => ("开始自整定", "begin to tune"),
        TuneOrder::Stop => ("停止自整定", "stop tuning"),
        TuneOrder::Accept => ("采用自整定结果", "accept what tuning found"),
        TuneOrder::Forget => ("清除自整定结果", "forget what tuning found"),
    }
}
