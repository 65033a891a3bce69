//! OpenMetrics 1.0, written by `prometheus-client` from a collector that lives for one scrape.

use std::collections::HashMap;
use std::fmt;

use prometheus_client::collector::Collector;
use prometheus_client::encoding::text;
use prometheus_client::encoding::{DescriptorEncoder, MetricEncoder, NoLabelSet};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::exemplar::Exemplar;
use prometheus_client::registry::{Registry, Unit};

use super::{Family, Kind, Labels, Number, Sample};

pub(super) fn write(families: Vec<Family>) -> String {
    let mut registry = Registry::default();
    registry.register_collector(Box::new(OneScrape(families)));
    let mut text = String::with_capacity(1 << 16);
    // Writing to a string cannot fail, and nothing of ours returns an error.
    let _ = text::encode(&mut text, &registry);
    text
}

#[derive(Debug)]
struct OneScrape(Vec<Family>);

impl Collector for OneScrape {
    fn encode(&self, mut encoder: DescriptorEncoder) -> fmt::Result {
        for family in &self.0 {
            let unit = (!family.unit.is_empty()).then(|| Unit::Other(family.unit.to_owned()));
            let kind = match family.kind {
                Kind::Counter => MetricType::Counter,
                Kind::Gauge => MetricType::Gauge,
                Kind::Histogram => MetricType::Histogram,
                Kind::Info => MetricType::Info,
                Kind::Unknown => MetricType::Unknown,
            };
            let mut metric = encoder.encode_descriptor(family.name, family.help, unit.as_ref(), kind)?;
            for sample in &family.samples {
                encode_sample(&mut metric, family.kind, sample)?;
            }
        }
        Ok(())
    }
}

fn encode_sample(metric: &mut MetricEncoder, kind: Kind, sample: &Sample) -> fmt::Result {
    let labels: &Labels = &sample.labels;
    if kind == Kind::Info {
        return metric.encode_info(&labels.as_slice());
    }
    let labels = labels.as_slice();
    let mut series = metric.encode_family(&labels)?;
    match (kind, &sample.value) {
        (Kind::Counter, Number::Whole(number)) => series.encode_counter(number, NO_EXEMPLAR),
        (Kind::Counter, Number::Real(number)) => series.encode_counter(number, NO_EXEMPLAR),
        (_, Number::Whole(number)) => series.encode_gauge(number),
        (_, Number::Real(number)) => series.encode_gauge(number),
        (_, Number::Histogram(histogram)) => {
            let none: Option<&HashMap<usize, Exemplar<NoLabelSet, f64>>> = None;
            series.encode_histogram(histogram.sum, histogram.count, &histogram.buckets, none)
        }
    }
}

const NO_EXEMPLAR: Option<&Exemplar<NoLabelSet, f64>> = None;
