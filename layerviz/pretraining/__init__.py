"""Pre-training on unlabelled texts: masked tokens to predict, and a teacher's vectors to match.

transformers' Trainer does the training. The loss has two parts:

- *masked tokens*: cross-entropy on 15 % of the tokens (Devlin et al., 2019);
- *teacher*, if there is one: the student's sentence vector, taken as the mean of its tokens and
  also as its first token and projected linearly to the teacher's width, should point where
  the teacher's mean-pooled vector does (cosine), and a batch's texts should be similar to each
  other as the teacher finds them (Kullback-Leibler divergence of the softmax over similarities,
  as in Tejankar et al., 2021: ISD).

A new student with a teacher starts with the teacher's word vectors, reduced to the student's
width by PCA, as Model2Vec (Tulkens & van Dongen, 2024) does for a static model. With
`word_epochs`, the words of any student then learn to match the teacher as a bag of words, before
its layers learn at all. There is no dropout: passes over the texts are few (Geiping & Goldstein,
2023: Cramming).
"""

from layerviz.pretraining.student import pretrain, with_default_rate

__all__ = ["pretrain", "with_default_rate"]
