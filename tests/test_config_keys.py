"""No switch of the installed transformers is unknown: its loading code is walked for what it reads.

A key of ``config.json`` or ``tokenizer_config.json`` that a new version reads fails here until
somebody has looked at what it does: then it goes into a list of what is passed on or refused
(layerviz/encoders/config_keys.py, tokenizer_files.py), or into one of those below.
"""

from __future__ import annotations

import ast
import dataclasses
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import transformers
from transformers.models.auto import configuration_auto, modeling_auto, tokenization_auto

from layerviz.encoders import config_keys, tokenizer_files

pytestmark = pytest.mark.fast

LIBRARY = Path(transformers.__file__).parent
# What every model goes through on its way from files to a module.
SHARED = (
    "modeling_utils", "configuration_utils", "masking_utils", "modeling_layers",
    "modeling_rope_utils", "modeling_flash_attention_utils", "conversion_mapping", "fusion_mapping",
    "models/auto/auto_factory", "models/auto/configuration_auto", "models/auto/tokenization_auto",
    "integrations/hub_kernels", "integrations/peft", "quantizers/auto", "distributed/checkpoint",
    "loss/loss_utils",
)  # fmt: skip
# Known, and left out of what transformers sees: they say how outputs are handed over or how a model
# trains, are of other kinds of models, or were made up by the library in memory.
LEFT_OUT = set(
    """
auto_map base_model_pp_plan base_model_tp_plan chunk_size_feed_forward deterministic_flash_attn
dtype esmfold_config gradient_checkpointing mask_id name_or_path onnx_export output_attentions
output_hidden_states return_dict tags torch_dtype transformers_version vocab_list
chain_hidden_post_norm default_theta embed_dim first_k_dense_replace in_channels is_heterogeneous
logits_mup_width_multiplier mlp_layer_types mtp_hidden_states_first mtp_layer_types
mtp_mlp_layer_types num_channels num_heads num_mtp_layers out_features out_indices
pairwise_head_width pairwise_state_dim patch_size sequence_head_width sequence_state_dim
structure_module temporal_patch_size trunk use_esm_attn_map vision_config generation_config
num_kv_shared_layers trust_remote_code
""".split()  # noqa: SIM905
)
# Read from arguments or other objects whose names hold "config" or "kwargs": no file says them.
ARGUMENTS = set(
    """
adapter_name add allow_is_causal_skip append attention_mask attribute_map block_table cache_dir
cache_seqlens code_revision commit_message compile_config config config_class
create_compatible_mapping create_pr cu_seqlens decoder dequantize deterministic device device_map
disable_mmap disk_offload_folder download_kwargs dropout_p encoder endswith features_only fget
fix_mistral_regex force_download from_model_config get get_config_class get_loading_attributes
hf_quantizer ignore_mismatched_sizes inference_mode inherit_mapping init_kwargs is_quantized items
kernel_mapping keys layer_past layer_type learnable_sink local_files_only max_memory max_seqlen_k
max_seqlen_q mistral_format offload_buffers offload_folder offload_index optional
output_loading_info page_table past_key_values pop popleft position_ids
pretrained_model_name_or_path proxies recursive removesuffix replace repo_id return_unused_kwargs
revision s_aux sanitize_kernel_mapping seq_idx setdefault sharded_metadata softcap state_dict
sub_configs sub_configs_defaults subfolder token token_type_ids tokenizer_type tp_size tqdm_class
use_fast use_safetensors values variant weights_only window_size
""".split()  # noqa: SIM905
)
OF_TOKENIZERS_LEFT_OUT = set(
    """
chat_control_tokens chat_template files_loaded fix_mistral_regex model name_or_path
pad_to_multiple_of pad_token_type_id processor_class
response_schema response_template self tokenizer tokenizer_padding tokenizer_truncation
use_default_system_prompt verbose
""".split()  # noqa: SIM905
)


def families() -> list[str]:
    masked = modeling_auto.MODEL_FOR_MASKED_LM_MAPPING_NAMES.keys() - config_keys.NO_TEXT_ENCODERS
    classifiers = modeling_auto.MODEL_FOR_SEQUENCE_CLASSIFICATION_MAPPING_NAMES.keys()
    return sorted(masked & classifiers)


def config_class(family: str) -> type[transformers.PreTrainedConfig]:
    kind: Any = configuration_auto.CONFIG_MAPPING[family]
    return kind


def keys_read(source: str, *, of_itself: bool = False) -> Iterator[str]:
    """Yield what code reads of anything called config or kwargs; of ``self``, too, in a config."""

    def is_config(node: ast.expr) -> bool:
        match node:
            case ast.Name(id=name) | ast.Attribute(attr=name):
                return "config" in name or (of_itself and name == "self")
        return False

    def is_settings(node: ast.expr) -> bool:
        return isinstance(node, ast.Name) and ("kwargs" in node.id or "config_dict" in node.id)

    for node in ast.walk(ast.parse(source)):
        match node:
            case ast.Attribute(value=value, attr=key) if is_config(value):
                yield key
            case ast.Call(
                func=ast.Name(id="getattr" | "hasattr"),
                args=[value, ast.Constant(value=str(key)), *_],
            ) if is_config(value):
                yield key
            case ast.Call(
                func=ast.Attribute(value=value, attr="pop" | "get" | "setdefault"),
                args=[ast.Constant(value=str(key)), *_],
            ) if is_settings(value):
                yield key
            case ast.Compare(left=ast.Constant(value=str(key)), comparators=[value]) if is_settings(
                value
            ):
                yield key
            case ast.Subscript(value=value, slice=ast.Constant(value=str(key))) if is_settings(
                value
            ):
                yield key


def code_of(family: str) -> Iterator[tuple[str, bool]]:
    """Yield the code of a family's config, which reads ``self``, and of its models."""
    configuration = Path(str(sys.modules[config_class(family).__module__].__file__))
    yield configuration.read_text(encoding="utf-8"), True
    modeling = configuration.with_name(configuration.name.replace("configuration", "modeling"))
    yield modeling.read_text(encoding="utf-8"), False


def known_keys() -> set[str]:
    return {
        *config_keys.KEYS,
        *config_keys.REFUSED,
        *config_keys.IMPLEMENTATIONS,
        *LEFT_OUT,
        *ARGUMENTS,
    }


def is_key(name: str) -> bool:
    """Tell keys of a file from methods and from what a config keeps for itself."""
    methods = callable(getattr(transformers.PreTrainedConfig, name, None))
    return not methods and (not name.startswith("_") or "implementation" in name)


def test_every_key_that_loading_code_reads_is_known() -> None:
    unknown: dict[str, str] = {}
    for family in families():
        fields = {field.name for field in dataclasses.fields(config_class(family))}
        unknown |= dict.fromkeys({*fields, *config_class(family).attribute_map}, family)
        for source, of_itself in code_of(family):
            unknown |= dict.fromkeys(keys_read(source, of_itself=of_itself), family)
    for part in SHARED:
        source = (LIBRARY / f"{part}.py").read_text(encoding="utf-8")
        found = keys_read(source, of_itself=part == "configuration_utils")
        unknown |= dict.fromkeys(found, part)
    unknown = {key: where for key, where in unknown.items() if is_key(key)}
    assert {key: where for key, where in unknown.items() if key not in known_keys()} == {}


@pytest.mark.parametrize(
    "line",
    [
        "getattr(self.config, 'fetches_code', None)",
        "kwargs.pop('fetches_code', None)",
        "config_dict['fetches_code']",
        "if 'fetches_code' in config_dict: pass",
        "config.fetches_code",
    ],
)
def test_a_new_switch_would_be_found(line: str) -> None:
    assert [key for key in keys_read(line) if is_key(key) and key not in known_keys()] == [
        "fetches_code"
    ]


def test_no_family_holds_configs_of_other_models_but_one_that_is_refused() -> None:
    nested = {family for family in families() if config_class(family).sub_configs}
    assert nested == {"esm"}  # of proteins that are folded: see configs.checked_settings


def test_families_that_fetch_native_code_are_known() -> None:
    fetch = ("get_kernel(", "lazy_load_kernel(", "load_cuda_kernels(", "_compatible_flash")
    found = {
        family
        for family in families()
        for source, _ in code_of(family)
        if any(call in source for call in fetch)
    }
    assert found == config_keys.FETCH_KERNELS


def tokenizer_settings_read() -> tuple[dict[str, set[str]], set[str]]:
    """Return by setting the tokenizer classes that take it, and the names of their files."""
    classes = {name for name in tokenization_auto.TOKENIZER_MAPPING_NAMES.values() if name}
    taken: dict[str, set[str]] = {}
    files: set[str] = set()
    bases = list(LIBRARY.glob("tokenization_*.py"))
    for path in [*bases, *LIBRARY.glob("models/*/tokenization_*.py")]:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            match node:
                case ast.ClassDef(name=name, body=body) if name in classes or (
                    path in bases and name.endswith(("Backend", "Base"))
                ):
                    for function in body:
                        if isinstance(function, ast.FunctionDef) and function.name == "__init__":
                            arguments = [*function.args.args, *function.args.kwonlyargs]
                            read = keys_read(ast.unparse(function))
                            for key in [*(argument.arg for argument in arguments), *read]:
                                taken.setdefault(key, set()).add(name)
                case ast.Assign(targets=[ast.Name(id=name)], value=ast.Dict(keys=keys)) if (
                    name.upper().endswith("FILES_NAMES")
                ):
                    files |= {key.value for key in keys if isinstance(key, ast.Constant)}  # type: ignore[misc]
    return taken, files


def test_every_setting_that_a_tokenizer_takes_is_known() -> None:
    taken, files = tokenizer_settings_read()
    known = {*tokenizer_files.KEYS, *tokenizer_files.REFUSED, *OF_TOKENIZERS_LEFT_OUT, *files}
    unknown = {
        key: classes - tokenizer_files.FOREIGN_CLASSES
        for key, classes in taken.items()
        if key not in known and not key.endswith("_token") and not key.startswith("_")
    }
    assert {key: classes for key, classes in unknown.items() if classes} == {}
    assert "do_lower_case" in taken
    assert "vocab_file" in files


def test_lists_do_not_contradict_each_other() -> None:
    assert not config_keys.KEYS & config_keys.REFUSED.keys()
    assert not config_keys.KEYS & LEFT_OUT
    assert not config_keys.KEYS & config_keys.IMPLEMENTATIONS.keys()
    assert not tokenizer_files.KEYS & tokenizer_files.REFUSED
