"""Daily stack monitors beside calculated emissions; the calculation prevails, as in the guidelines."""

from etsopt.accounting.monitoring.example import write_monitor_example
from etsopt.accounting.monitoring.monitor import Monitoring, monitor
from etsopt.accounting.monitoring.read import read_monitor

__all__ = ["Monitoring", "monitor", "read_monitor", "write_monitor_example"]
