"""What an encoder's ``config.json`` may say, and what it may not.

A config is data that decides which code transformers runs: some of its keys fetch native code from
the Hub, name a repository with Python in it, or another file to read. So the keys that describe an
encoder are listed here, and nothing else is passed on. ``tests/test_config_keys.py`` walks the code
of the installed transformers and fails when it reads a key that no list here names.
"""

from __future__ import annotations

# Masked language models that need more than text, whose layers keep no vector per token, or that
# are built of two models, each with a config of its own.
NO_TEXT_ENCODERS = frozenset({
    "bart", "funnel", "layoutlm", "mbart", "modernvbert", "mvp", "perceiver", "reformer", "tapas",
    "ultravbert",
})  # fmt: skip
# Why others are refused, by what they are.
_BOTH = "is an encoder and a decoder in one"
_GENERATES = "generates texts, and lets each token see those before it alone"
NOT_ENCODERS = {
    **dict.fromkeys(("bart", "blenderbot", "m2m_100", "marian", "mbart", "mt5", "mvp", "pegasus",
                     "plbart", "prophetnet", "t5", "umt5"), _BOTH),
    **dict.fromkeys(("bloom", "ctrl", "falcon", "gemma", "gemma2", "gemma3_text", "gpt2",
                     "gpt_neo", "gpt_neox", "gptj", "llama", "mistral", "olmo", "openai-gpt", "opt",
                     "phi", "phi3", "qwen2", "qwen3", "transfo-xl", "xglm"), _GENERATES),
    "funnel": "shortens its texts from layer to layer, so that its layers cannot be compared",
    "xlnet": "reads a text in two streams and is no masked language model, as layerviz needs",
    "reformer": "sorts the tokens of a text into chunks at random",
    "perceiver": "keeps no vector for each token",
    "tapas": "reads tables",
    "layoutlm": "reads pages, with the place of each word",
}  # fmt: skip
# These take an attention mask, and let padding change the vectors of a text all the same.
PADDING_COUNTS = frozenset({"yoso"})
# These fetch native code from the Hub as soon as the package "kernels" and a GPU are there.
FETCH_KERNELS = frozenset({"mra", "yoso"})

# Read by the families' own code: sizes, activations, dropouts, special tokens.
_OF_FAMILIES = """
activation adapter_layer_norm adapter_reduction_factor adapter_reuse_layer_norm add_cross_attention
approx_mode asm asm_cutoffs asm_div_value attention_bias attention_dropout attention_head_size
attention_probs_dropout_prob attention_type attention_window attention_windows block_per_row
block_size bos_index bos_token_id causal classifier_activation classifier_bias classifier_dropout
classifier_dropout_prob classifier_pooling cls_dropout cls_token_id concat_input conv_act
conv_groups conv_kernel_size conv_window decoder_bias default_language dim dropout emb_dim
emb_layer_norm_before embed_init_std embedding_dropout embedding_size enable_pronunciation
enable_shape end_n_top entity_emb_size entity_vocab_size eos_index eos_token_id force_dequant
gelu_activation global_attn_every_n_layers global_rope_theta hash_code_len head_dim head_ratio
hidden_act hidden_activation hidden_dim hidden_dropout_prob hidden_size init_std
initial_prior_diagonal_n_blocks initial_prior_first_n_blocks initializer_cutoff_factor
initializer_range inner_group_num input_embedding_size intermediate_groups intermediate_size
intra_bottleneck_size inv_coeff_init_option is_decoder is_encoder is_encoder_decoder
is_folding_model k_groups key_query_shared_bottleneck lang_id languages layer_norm_eps layer_types
layerdrop legacy ln_before_adapter local_attention local_rope_theta lsh_backward mask_index
mask_token_id max_position_embeddings max_relative_positions mlp_bias mlp_dropout n_heads n_langs
n_layers n_words norm_bias norm_eps norm_rel_ebd normalization_type num_attention_heads
num_feedforward_networks num_groups num_hash num_hidden_groups num_hidden_layers num_key_value_heads
num_landmarks num_random_blocks output_embedding_size output_groups pad_index pad_token_id
pooler_dropout pooler_hidden_act pooler_hidden_size pos_att_type position_biased_input
position_buckets position_embedding_type post_attention_groups pre_norm prediction_head_size
pretraining_tp pronunciation_embed_dim pronunciation_vocab_size q_groups qa_dropout quant_mode
relative_attention relative_attention_num_buckets rescale_embeddings rms_norm_eps rope_parameters
rope_theta rotary_value segment_means_seq_len sep_token_id seq_classif_dropout shape_embed_dim
shape_vocab_size share_att_key sinusoidal_embeddings sinusoidal_pos_embds sliding_window
sparse_pred_ignore_index sparse_prediction start_n_top summary_activation summary_first_dropout
summary_last_dropout summary_proj_to_labels summary_type summary_use_proj talking_head
task_type_vocab_size tie_word_embeddings token_dropout tpu_short_seq_length trigram_input
true_hidden_size type_vocab_size unk_index use_bias use_bottleneck use_bottleneck_attention
use_cache use_entity_aware_attention use_expectation use_fast_hash use_lang_emb use_task_id
use_tpu_fourier_optimizations v_groups vocab_size
"""
# Read by the code that all families share.
_OF_ALL = """
architectures attention_chunk_size hidden_dropout id2label initializer_factor is_causal label2id
model_name model_type num_labels partial_rotary_factor problem_type rope_scaling
token_classification_bias tokenizer_class unpadded_vocab_size
"""
KEYS = frozenset(_OF_FAMILIES.split()) | frozenset(_OF_ALL.split())

# Which implementation computes something: anything else may be the name of a repository of native
# code on the Hub, which transformers fetches and runs.
ATTENTION = ("eager", "sdpa")
# These are left out, as they say how fast something is computed, not what, and need a GPU.
FASTER_ATTENTION = ("flash_attention_2", "flash_attention_3", "flash_attention_4", "flex_attention")
EXPERTS = ("eager", "grouped_mm")
IMPLEMENTATIONS = {
    "attn_implementation": ATTENTION,
    "_attn_implementation": ATTENTION,
    "_attn_implementation_internal": ATTENTION,
    "experts_implementation": EXPERTS,
    "_experts_implementation": EXPERTS,
    "_experts_implementation_internal": EXPERTS,
}

# Why an encoder is refused whose config sets one of these: without it, it would be another encoder.
_PACKED = "stores its weights in a packed form"
_ELSEWHERE = "names other files to be read"
_DISTRIBUTED = "is meant for several machines"
_BACKBONE = "is made of parts that are downloaded by themselves"
REFUSED = {
    "quantization_config": _PACKED,
    "load_in_4bit": _PACKED,
    "load_in_8bit": _PACKED,
    "quant_method": _PACKED,
    "compression_config": _PACKED,
    "transformers_weights": _ELSEWHERE,
    "configuration_files": _ELSEWHERE,
    "gguf_file": _ELSEWHERE,
    "weight_mapping": _ELSEWHERE,
    "key_mapping": _ELSEWHERE,
    "base_model_name_or_path": "is an adapter, which is nothing without another encoder",
    "peft_type": "is an adapter, which is nothing without another encoder",
    "adapter_kwargs": "is an adapter, which is nothing without another encoder",
    "use_kernels": "wants native code from the Hub",
    "kernel_config": "wants native code from the Hub",
    "allow_all_kernels": "wants native code from the Hub",
    "use_local_kernel": "wants native code from the Hub",
    "fusion_config": "wants its layers rewritten while it loads",
    "per_layer_config": "has layers of different kinds",
    "mtp_per_layer_config": "has layers of different kinds",
    "distributed_config": _DISTRIBUTED,
    "device_mesh": _DISTRIBUTED,
    "tp_plan": _DISTRIBUTED,
    "use_pretrained_backbone": _BACKBONE,
    "use_timm_backbone": _BACKBONE,
    "backbone": _BACKBONE,
    "custom_pipelines": "brings code of its own",
    "custom_generate": "brings code of its own",
}
# Everything else is left out without a word, since nothing that loads an encoder reads it, or it
# only says how outputs are handed over: "return_dict", "torchscript", "transformers_version". So
# are "trust_remote_code" and "auto_map", the code of its own that an encoder brings: transformers
# has its own for each family that is let in here, and weights that do not fit that are refused.
