"""layerviz in Python: what the commands do, under the names of their options.

>>> import layerviz
>>> run = layerviz.fit("tweets.csv", encoder="bert-mini", label_column="HS", epochs=3)
>>> print(run.answer())
>>> run.chart()  # the maps, in a notebook
"""
