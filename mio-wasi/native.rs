//! Native tests of the selector.
