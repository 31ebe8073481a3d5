"""Live predictions for Label Studio, whose ML backend protocol is a few JSON endpoints: `/health`, `/setup`,
`/predict`, `/versions`, `/webhook` and `/train` (label_studio/ml/api_connector.py, release 1.23.2)."""
