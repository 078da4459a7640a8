"""What is told of monthly reports, each subject as a document: accounts, list, monitors, screening and review."""
