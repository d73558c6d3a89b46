"""History rebuilt by Spark, past one machine (docs/spark.md). Nothing here is imported before it is asked for."""
