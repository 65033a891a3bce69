//! The part of the table that is about the weather: thermometer, service, what the buildings feel, and when it is time to
//! heat.

use std::borrow::Cow;

use heatstation_core::heating_limit::Eco;
use heatstation_core::outdoor::{Doubt, ForecastUse, OutdoorSource};
use heatstation_core::report::CircuitReport;
use heatstation_core::season::HeatingTime;

use super::super::Number;
use super::{Table, seconds, states};

/// All rows about the weather.
pub(super) fn rows(table: &mut Table) {
    outdoor(table);
    service(table);
    felt(table);
    time_to_heat(table);
}

/// One series a state, 1 for the one that is.
fn one_of(
    table: &mut Table,
    name: &'static str,
    label: &'static str,
    help: &'static str,
    all: impl IntoIterator<Item = &'static str>,
    now: &'static str,
) {
    let samples: Vec<_> =
        states(all, now).map(|(name, value)| (table.with([(label, Cow::Borrowed(name))]), value)).collect();
    table.gauge((name, ""), help, samples);
}

fn outdoor(table: &mut Table) {
    let outdoor = table.snapshot.report.outdoor;
    let help = "Outdoor temperature that the control uses, by whatever source.";
    let name = ("heatstation_outdoor_used_temperature", "celsius");
    table.gauge(name, help, table.alone(Number::Real(outdoor.now.0)));
    let help = "The same, smoothed: what the heating curve looks at.";
    let name = ("heatstation_outdoor_filtered_temperature", "celsius");
    table.gauge(name, help, table.alone(Number::Real(outdoor.filtered.0)));
    let all = OutdoorSource::ALL.map(OutdoorSource::name);
    let help = "1 for the source of the outdoor temperature in use.";
    one_of(table, "heatstation_outdoor_source", "source", help, all, outdoor.source.name());
    let all = Doubt::ALL.into_iter().map(Doubt::name).chain(["none"]);
    let help = "1 for the reason why an outdoor sensor that answers is not believed.";
    one_of(table, "heatstation_outdoor_doubt", "doubt", help, all, outdoor.doubt.map_or("none", Doubt::name));
}

fn service(table: &mut Table) {
    let outdoor = table.snapshot.report.outdoor;
    let told = outdoor.service.map(|told| (table.here(), Number::Real(told.0)));
    let help = "What the meteorological service says of now, its learnt bias corrected.";
    table.gauge(("heatstation_service_temperature", "celsius"), help, told);
    let help = "What is added to the service's temperature, learnt against the station's sensor.";
    table.gauge(("heatstation_service_bias", "kelvins"), help, table.alone(Number::Real(outdoor.bias.0)));
    let age = outdoor.forecast_age.map(|age| (table.here(), seconds(age)));
    table.gauge(("heatstation_forecast_age", "seconds"), "How long ago the forecast was issued.", age);
    let all = ForecastUse::ALL.map(ForecastUse::name);
    let help = "1 for what became of the forecast.";
    one_of(table, "heatstation_forecast_use", "use", help, all, outdoor.forecast.name());
}

fn felt(table: &mut Table) {
    let each = |value: fn(&CircuitReport) -> f64| move |circuit: &CircuitReport| Some(Number::Real(value(circuit)));
    let felt = table.each_circuit(each(|circuit| circuit.equivalent.temperature.0));
    let help = "The outdoor temperature that the buildings feel: smoothed, with mass, sun, wind and forecast.";
    table.gauge(("heatstation_equivalent_outdoor_temperature", "celsius"), help, felt);
    let terms = table.each_circuit_by("term", |circuit| {
        circuit.equivalent.terms().map(|(part, kelvins)| (part.name(), Number::Real(kelvins.0)))
    });
    let help = "What each term adds to the smoothed outdoor temperature; with it they are the equivalent one.";
    table.gauge(("heatstation_equivalent_outdoor_term", "kelvins"), help, terms);
}

fn time_to_heat(table: &mut Table) {
    let report = &table.snapshot.report;
    let (time, mean) = (report.heating_time, report.days_mean);
    let all = HeatingTime::ALL.map(HeatingTime::name);
    let help = "1 for why the station heats by date and weather, or that it does not.";
    one_of(table, "heatstation_heating_time", "time", help, all, time.name());
    let mean = mean.map(|mean| (table.here(), Number::Real(mean.0)));
    let help = "Mean outdoor temperature of the last five days.";
    table.gauge(("heatstation_outdoor_five_day_mean_temperature", "celsius"), help, mean);
    let eco = table.each_circuit_by("state", |circuit| states(Eco::ALL.map(Eco::name), circuit.eco.name()));
    table.gauge(("heatstation_heating_limit", ""), "1 for what the heating limit says.", eco);
    let three = table.each_circuit_by("kind", |circuit| {
        [
            ("composite", Number::Real(circuit.equivalent.composite.0)),
            ("attenuated", Number::Real(circuit.equivalent.attenuated.0)),
        ]
    });
    let help = "What the heating limit looks at beside the outdoor temperature of the moment.";
    table.gauge(("heatstation_heating_limit_temperature", "celsius"), help, three);
}
