"""Forecasts of balance values: from own units and a stated prior of the other units of each sector."""

from etsopt.studies.forecasting.api import Forecast
from etsopt.studies.forecasting.plan import ForecastPlan, Prior, forecast_of, read_forecast

__all__ = ["Forecast", "ForecastPlan", "Prior", "forecast_of", "read_forecast"]
