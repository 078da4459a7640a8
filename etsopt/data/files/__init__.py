"""Files of instances and runs: read in CSV and Parquet, written as a whole, under a lock."""
