"""People and programs are told of what needs them: an approval, drift, a series of searches, a log that fails."""
