// The operators of the format, a line each. Made by tools/generate-operators from onnx 1.16.2's definitions.

// swift-format-ignore-file

/// `name since | inputs | outputs | attributes | types`
///
/// - A parameter is its name and its type: an element type, or a type variable that the last column explains.
///   `?` marks an optional one, `*n` a variadic one of at least `n`, `~` one whose values may differ in type.
/// - An attribute is its name and its kind; `!` marks a required one.
/// - Type sets are of single types and of the groups in `groups`.
enum OperatorTable {
  static let newestVersions = ["": 21, "ai.onnx.ml": 5, "ai.onnx.preview.training": 1]

  static let groups: [String: String] = [
    "all": "bool complex128 complex64 double float float16 int16 int32 int64 int8 string uint16 uint32 uint64 uint8",
    "ints": "int8 int16 int32 int64",
    "uints": "uint8 uint16 uint32 uint64",
    "float8": "float8e4m3fn float8e4m3fnuz float8e5m2 float8e5m2fnuz",
    "floats": "float16 float double",
    "complex": "complex64 complex128",
    "int4s": "int4 uint4",
  ]

  static let text = """
    Abs 13 | X T | Y T |  | T: ints uints floats bfloat16
    Acos 7 | input T | output T |  | T: floats
    Acosh 9 | input T | output T |  | T: floats
    Add 13 | A T, B T | C T |  | T: floats bfloat16 int32 int64 uint32 uint64
    Add 14 | A T, B T | C T |  | T: ints uints floats bfloat16
    AffineGrid 20 | theta T1, size T2 | grid T1 | align_corners int | T1: floats bfloat16; T2: int64
    And 7 | A T, B T | C T1 |  | T: bool; T1: bool
    ArgMax 13 | data T | reduced int64 | axis int, keepdims int, select_last_index int | T: ints uints floats bfloat16
    ArgMin 13 | data T | reduced int64 | axis int, keepdims int, select_last_index int | T: ints uints floats bfloat16
    Asin 7 | input T | output T |  | T: floats
    Asinh 9 | input T | output T |  | T: floats
    Atan 7 | input T | output T |  | T: floats
    Atanh 9 | input T | output T |  | T: floats
    AveragePool 11 | X T | Y T | auto_pad string, ceil_mode int, count_include_pad int, kernel_shape! ints, pads ints, strides ints | T: floats
    AveragePool 19 | X T | Y T | auto_pad string, ceil_mode int, count_include_pad int, dilations ints, kernel_shape! ints, pads ints, strides ints | T: floats
    BatchNormalization 9 | X T, scale T, B T, mean T, var T | Y T, mean? T, var? T, saved_mean? T, saved_var? T | epsilon float, momentum float | T: floats
    BatchNormalization 14 | X T, scale T, B T, input_mean U, input_var U | Y T, running_mean? U, running_var? U | epsilon float, momentum float, training_mode int | T: floats bfloat16; U: floats bfloat16
    BatchNormalization 15 | X T, scale T1, B T1, input_mean T2, input_var T2 | Y T, running_mean? T2, running_var? T2 | epsilon float, momentum float, training_mode int | T: floats bfloat16; T1: floats bfloat16; T2: floats bfloat16
    Bernoulli 15 | input T1 | output T2 | dtype int, seed float | T1: floats; T2: ints uints floats bfloat16 bool
    BitShift 11 | X T, Y T | Z T | direction! string | T: uints
    BitwiseAnd 18 | A T, B T | C T |  | T: ints uints
    BitwiseNot 18 | X T | Y T |  | T: ints uints
    BitwiseOr 18 | A T, B T | C T |  | T: ints uints
    BitwiseXor 18 | A T, B T | C T |  | T: ints uints
    BlackmanWindow 17 | size T1 | output T2 | output_datatype int, periodic int | T1: int32 int64; T2: ints uints floats bfloat16
    Cast 13 | input T1 | output T2 | to! int | T1: ints uints floats bfloat16 bool string; T2: ints uints floats bfloat16 bool string
    Cast 19 | input T1 | output T2 | saturate int, to! int | T1: ints uints float8 floats bfloat16 bool string; T2: ints uints float8 floats bfloat16 bool string
    Cast 21 | input T1 | output T2 | saturate int, to! int | T1: ints uints float8 floats int4s bfloat16 bool string; T2: ints uints float8 floats int4s bfloat16 bool string
    CastLike 15 | input T1, target_type T2 | output T2 |  | T1: ints uints floats bfloat16 bool string; T2: ints uints floats bfloat16 bool string
    CastLike 19 | input T1, target_type T2 | output T2 | saturate int | T1: ints uints float8 floats bfloat16 bool string; T2: ints uints float8 floats bfloat16 bool string
    CastLike 21 | input T1, target_type T2 | output T2 | saturate int | T1: ints uints float8 floats int4s bfloat16 bool string; T2: ints uints float8 floats int4s bfloat16 bool string
    Ceil 13 | X T | Y T |  | T: floats bfloat16
    Celu 12 | X T | Y T | alpha float | T: float
    CenterCropPad 18 | input_data T, shape Tind | output_data T | axes ints | T: all bfloat16; Tind: int32 int64
    Clip 13 | input T, min? T, max? T | output T |  | T: ints uints floats bfloat16
    Col2Im 18 | input T, image_shape int64, block_shape int64 | output T | dilations ints, pads ints, strides ints | T: all bfloat16
    Compress 11 | input T, condition T1 | output T | axis int | T: all; T1: bool
    Concat 13 | inputs*1 T | concat_result T | axis! int | T: all bfloat16
    ConcatFromSequence 11 | input_sequence S | concat_result T | axis! int, new_axis int | S: seq(all); T: all
    Constant 13 |  | output T | sparse_value sparseTensor, value tensor, value_float float, value_floats floats, value_int int, value_ints ints, value_string string, value_strings strings | T: all bfloat16
    Constant 19 |  | output T | sparse_value sparseTensor, value tensor, value_float float, value_floats floats, value_int int, value_ints ints, value_string string, value_strings strings | T: all float8 bfloat16
    Constant 21 |  | output T | sparse_value sparseTensor, value tensor, value_float float, value_floats floats, value_int int, value_ints ints, value_string string, value_strings strings | T: all float8 int4s bfloat16
    ConstantOfShape 9 | input T1 | output T2 | value tensor | T1: int64; T2: ints uints floats bool
    ConstantOfShape 20 | input T1 | output T2 | value tensor | T1: int64; T2: ints uints float8 floats bfloat16 bool
    ConstantOfShape 21 | input T1 | output T2 | value tensor | T1: int64; T2: ints uints float8 floats int4s bfloat16 bool
    Conv 11 | X T, W T, B? T | Y T | auto_pad string, dilations ints, group int, kernel_shape ints, pads ints, strides ints | T: floats
    ConvInteger 10 | x T1, w T2, x_zero_point? T1, w_zero_point? T2 | y T3 | auto_pad string, dilations ints, group int, kernel_shape ints, pads ints, strides ints | T1: int8 uint8; T2: int8 uint8; T3: int32
    ConvTranspose 11 | X T, W T, B? T | Y T | auto_pad string, dilations ints, group int, kernel_shape ints, output_padding ints, output_shape ints, pads ints, strides ints | T: floats
    Cos 7 | input T | output T |  | T: floats
    Cosh 9 | input T | output T |  | T: floats
    CumSum 11 | x T, axis T2 | y T | exclusive int, reverse int | T: double float int32 int64 uint32 uint64; T2: int32 int64
    CumSum 14 | x T, axis T2 | y T | exclusive int, reverse int | T: floats bfloat16 int32 int64 uint32 uint64; T2: int32 int64
    DFT 17 | input T1, dft_length? T2 | output T1 | axis int, inverse int, onesided int | T1: floats bfloat16; T2: int32 int64
    DFT 20 | input T1, dft_length? T2, axis? int64 | output T1 | inverse int, onesided int | T1: floats bfloat16; T2: int32 int64
    DeformConv 19 | X T, W T, offset T, B? T, mask? T | Y T | dilations ints, group int, kernel_shape ints, offset_group int, pads ints, strides ints | T: floats
    DepthToSpace 13 | input T | output T | blocksize! int, mode string | T: all bfloat16
    DequantizeLinear 13 | x T, x_scale float, x_zero_point? T | y float | axis int | T: int32 int8 uint8
    DequantizeLinear 19 | x T1, x_scale T2, x_zero_point? T1 | y T2 | axis int | T1: float8 int32 int8 uint8; T2: bfloat16 float float16
    DequantizeLinear 21 | x T1, x_scale T2, x_zero_point? T1 | y T2 | axis int, block_size int | T1: float8 int4s int16 int32 int8 uint16 uint8; T2: bfloat16 float float16
    Det 11 | X T | Y T |  | T: floats
    Div 13 | A T, B T | C T |  | T: floats bfloat16 int32 int64 uint32 uint64
    Div 14 | A T, B T | C T |  | T: ints uints floats bfloat16
    Dropout 13 | data T, ratio? T1, training_mode? T2 | output T, mask? T2 | seed int | T: floats bfloat16; T1: floats; T2: bool
    DynamicQuantizeLinear 11 | x T1 | y T2, y_scale float, y_zero_point T2 |  | T1: float; T2: uint8
    Einsum 12 | Inputs*1 T | Output T | equation! string | T: ints uints floats
    Elu 6 | X T | Y T | alpha float | T: floats
    Equal 13 | A T, B T | C T1 |  | T: ints uints floats bfloat16 bool; T1: bool
    Equal 19 | A T, B T | C T1 |  | T: ints uints floats bfloat16 bool string; T1: bool
    Erf 13 | input T | output T |  | T: ints uints floats bfloat16
    Exp 13 | input T | output T |  | T: floats bfloat16
    Expand 13 | input T, shape int64 | output T |  | T: all bfloat16
    EyeLike 9 | input T1 | output T2 | dtype int, k int | T1: ints uints floats bool; T2: ints uints floats bool
    Flatten 13 | input T | output T | axis int | T: all bfloat16
    Flatten 21 | input T | output T | axis int | T: all float8 int4s bfloat16
    Floor 13 | X T | Y T |  | T: floats bfloat16
    GRU 7 | X T, W T, R T, B? T, sequence_lens? T1, initial_h? T | Y? T, Y_h? T | activation_alpha floats, activation_beta floats, activations strings, clip float, direction string, hidden_size int, linear_before_reset int | T: floats; T1: int32
    GRU 14 | X T, W T, R T, B? T, sequence_lens? T1, initial_h? T | Y? T, Y_h? T | activation_alpha floats, activation_beta floats, activations strings, clip float, direction string, hidden_size int, layout int, linear_before_reset int | T: floats; T1: int32
    Gather 13 | data T, indices Tind | output T | axis int | T: all bfloat16; Tind: int32 int64
    GatherElements 13 | data T, indices Tind | output T | axis int | T: all bfloat16; Tind: int32 int64
    GatherND 13 | data T, indices int64 | output T | batch_dims int | T: all bfloat16
    Gelu 20 | X T | Y T | approximate string | T: floats bfloat16
    Gemm 13 | A T, B T, C? T | Y T | alpha float, beta float, transA int, transB int | T: floats bfloat16 int32 int64 uint32 uint64
    GlobalAveragePool 1 | X T | Y T |  | T: floats
    GlobalLpPool 2 | X T | Y T | p int | T: floats
    GlobalMaxPool 1 | X T | Y T |  | T: floats
    Greater 13 | A T, B T | C T1 |  | T: ints uints floats bfloat16; T1: bool
    GreaterOrEqual 12 | A T, B T | C T1 |  | T: ints uints floats; T1: bool
    GreaterOrEqual 16 | A T, B T | C T1 |  | T: ints uints floats bfloat16; T1: bool
    GridSample 16 | X T1, grid T2 | Y T1 | align_corners int, mode string, padding_mode string | T1: all; T2: floats
    GridSample 20 | X T1, grid T2 | Y T1 | align_corners int, mode string, padding_mode string | T1: all; T2: floats
    GroupNormalization 18 | X T, scale T, bias T | Y T | epsilon float, num_groups! int | T: floats bfloat16
    GroupNormalization 21 | X T, scale T, bias T | Y T | epsilon float, num_groups! int, stash_type int | T: floats bfloat16
    HammingWindow 17 | size T1 | output T2 | output_datatype int, periodic int | T1: int32 int64; T2: ints uints floats bfloat16
    HannWindow 17 | size T1 | output T2 | output_datatype int, periodic int | T1: int32 int64; T2: ints uints floats bfloat16
    HardSigmoid 6 | X T | Y T | alpha float, beta float | T: floats
    HardSwish 14 | X T | Y T |  | T: floats
    Hardmax 13 | input T | output T | axis int | T: floats bfloat16
    Identity 13 | input T | output T |  | T: all bfloat16
    Identity 14 | input V | output V |  | V: all bfloat16 seq(all)
    Identity 16 | input V | output V |  | V: all bfloat16 seq(all) optional(all) optional(seq(all))
    Identity 19 | input V | output V |  | V: all float8 bfloat16 seq(all) optional(all) optional(seq(all))
    Identity 21 | input V | output V |  | V: all float8 int4s bfloat16 seq(all) optional(all) optional(seq(all))
    If 13 | cond B | outputs*1~ V | else_branch! graph, then_branch! graph | V: all seq(all); B: bool
    If 16 | cond B | outputs*1~ V | else_branch! graph, then_branch! graph | V: all bfloat16 seq(all) seq(bfloat16) optional(all) optional(bfloat16) optional(seq(all)) optional(seq(bfloat16)); B: bool
    If 19 | cond B | outputs*1~ V | else_branch! graph, then_branch! graph | V: all float8 bfloat16 seq(all) seq(float8) seq(bfloat16) optional(all) optional(float8) optional(bfloat16) optional(seq(all)) optional(seq(bfloat16)); B: bool
    If 21 | cond B | outputs*1~ V | else_branch! graph, then_branch! graph | V: all float8 int4s bfloat16 seq(all) seq(float8) seq(int4s) seq(bfloat16) optional(all) optional(float8) optional(int4s) optional(bfloat16) optional(seq(all)) optional(seq(bfloat16)); B: bool
    ImageDecoder 20 | encoded_stream T1 | image T2 | pixel_format string | T1: uint8; T2: uint8
    InstanceNormalization 6 | input T, scale T, B T | output T | epsilon float | T: floats
    IsInf 10 | X T1 | Y T2 | detect_negative int, detect_positive int | T1: double float; T2: bool
    IsInf 20 | X T1 | Y T2 | detect_negative int, detect_positive int | T1: float8 floats bfloat16; T2: bool
    IsNaN 13 | X T1 | Y T2 |  | T1: floats bfloat16; T2: bool
    IsNaN 20 | X T1 | Y T2 |  | T1: float8 floats bfloat16; T2: bool
    LRN 13 | X T | Y T | alpha float, beta float, bias float, size! int | T: floats bfloat16
    LSTM 7 | X T, W T, R T, B? T, sequence_lens? T1, initial_h? T, initial_c? T, P? T | Y? T, Y_h? T, Y_c? T | activation_alpha floats, activation_beta floats, activations strings, clip float, direction string, hidden_size int, input_forget int | T: floats; T1: int32
    LSTM 14 | X T, W T, R T, B? T, sequence_lens? T1, initial_h? T, initial_c? T, P? T | Y? T, Y_h? T, Y_c? T | activation_alpha floats, activation_beta floats, activations strings, clip float, direction string, hidden_size int, input_forget int, layout int | T: floats; T1: int32
    LayerNormalization 17 | X T, Scale T, B? T | Y T, Mean? U, InvStdDev? U | axis int, epsilon float, stash_type int | T: floats bfloat16; U: bfloat16 float
    LeakyRelu 6 | X T | Y T | alpha float | T: floats
    LeakyRelu 16 | X T | Y T | alpha float | T: floats bfloat16
    Less 13 | A T, B T | C T1 |  | T: ints uints floats bfloat16; T1: bool
    LessOrEqual 12 | A T, B T | C T1 |  | T: ints uints floats; T1: bool
    LessOrEqual 16 | A T, B T | C T1 |  | T: ints uints floats bfloat16; T1: bool
    Log 13 | input T | output T |  | T: floats bfloat16
    LogSoftmax 13 | input T | output T | axis int | T: floats bfloat16
    Loop 13 | M? I, cond? B, v_initial*0~ V | v_final_and_scan_outputs*1~ V | body! graph | V: all seq(all); I: int64; B: bool
    Loop 16 | M? I, cond? B, v_initial*0~ V | v_final_and_scan_outputs*1~ V | body! graph | V: all bfloat16 seq(all) seq(bfloat16) optional(all) optional(bfloat16) optional(seq(all)) optional(seq(bfloat16)); I: int64; B: bool
    Loop 19 | M? I, cond? B, v_initial*0~ V | v_final_and_scan_outputs*1~ V | body! graph | V: all float8 bfloat16 seq(all) seq(float8) seq(bfloat16) optional(all) optional(float8) optional(bfloat16) optional(seq(all)) optional(seq(bfloat16)); I: int64; B: bool
    Loop 21 | M? I, cond? B, v_initial*0~ V | v_final_and_scan_outputs*1~ V | body! graph | V: all float8 int4s bfloat16 seq(all) seq(float8) seq(int4s) seq(bfloat16) optional(all) optional(float8) optional(int4s) optional(bfloat16) optional(seq(all)) optional(seq(bfloat16)); I: int64; B: bool
    LpNormalization 1 | input T | output T | axis int, p int | T: floats
    LpPool 11 | X T | Y T | auto_pad string, kernel_shape! ints, p int, pads ints, strides ints | T: floats
    LpPool 18 | X T | Y T | auto_pad string, ceil_mode int, dilations ints, kernel_shape! ints, p int, pads ints, strides ints | T: floats
    MatMul 13 | A T, B T | Y T |  | T: floats bfloat16 int32 int64 uint32 uint64
    MatMulInteger 10 | A T1, B T2, a_zero_point? T1, b_zero_point? T2 | Y T3 |  | T1: int8 uint8; T2: int8 uint8; T3: int32
    Max 13 | data_0*1 T | max T |  | T: ints uints floats bfloat16
    MaxPool 12 | X T | Y T, Indices? I | auto_pad string, ceil_mode int, dilations ints, kernel_shape! ints, pads ints, storage_order int, strides ints | T: floats int8 uint8; I: int64
    MaxRoiPool 1 | X T, rois T | Y T | pooled_shape! ints, spatial_scale float | T: floats
    MaxUnpool 11 | X T1, I T2, output_shape? T2 | output T1 | kernel_shape! ints, pads ints, strides ints | T1: floats; T2: int64
    Mean 13 | data_0*1 T | mean T |  | T: floats bfloat16
    MeanVarianceNormalization 13 | X T | Y T | axes ints | T: floats bfloat16
    MelWeightMatrix 17 | num_mel_bins T1, dft_length T1, sample_rate T1, lower_edge_hertz T2, upper_edge_hertz T2 | output T3 | output_datatype int | T1: int32 int64; T2: floats bfloat16; T3: ints uints floats bfloat16
    Min 13 | data_0*1 T | min T |  | T: ints uints floats bfloat16
    Mish 18 | X T | Y T |  | T: floats
    Mod 13 | A T, B T | C T | fmod int | T: ints uints floats bfloat16
    Mul 13 | A T, B T | C T |  | T: floats bfloat16 int32 int64 uint32 uint64
    Mul 14 | A T, B T | C T |  | T: ints uints floats bfloat16
    Multinomial 7 | input T1 | output T2 | dtype int, sample_size int, seed float | T1: floats; T2: int32 int64
    Neg 13 | X T | Y T |  | T: ints floats bfloat16
    NegativeLogLikelihoodLoss 13 | input T, target Tind, weight? T | loss T | ignore_index int, reduction string | T: floats; Tind: int32 int64
    NonMaxSuppression 11 | boxes float, scores float, max_output_boxes_per_class? int64, iou_threshold? float, score_threshold? float | selected_indices int64 | center_point_box int | 
    NonZero 13 | X T | Y int64 |  | T: all bfloat16
    Not 1 | X T | Y T |  | T: bool
    OneHot 11 | indices T1, depth T2, values T3 | output T3 | axis int | T1: ints uints floats; T2: ints uints floats; T3: all
    Optional 15 | input? V | output O | type type | V: all seq(all); O: optional(all) optional(seq(all))
    OptionalGetElement 15 | input O | output V |  | O: optional(all) optional(seq(all)); V: all seq(all)
    OptionalGetElement 18 | input O | output V |  | O: all seq(all) optional(all) optional(seq(all)); V: all seq(all)
    OptionalHasElement 15 | input O | output B |  | O: optional(all) optional(seq(all)); B: bool
    OptionalHasElement 18 | input? O | output B |  | O: all seq(all) optional(all) optional(seq(all)); B: bool
    Or 7 | A T, B T | C T1 |  | T: bool; T1: bool
    PRelu 9 | X T, slope T | Y T |  | T: floats int32 int64 uint32 uint64
    PRelu 16 | X T, slope T | Y T |  | T: floats bfloat16 int32 int64 uint32 uint64
    Pad 13 | data T, pads int64, constant_value? T | output T | mode string | T: all bfloat16
    Pad 18 | data T, pads int64, constant_value? T, axes? Tind | output T | mode string | T: all bfloat16; Tind: int32 int64
    Pad 19 | data T, pads int64, constant_value? T, axes? Tind | output T | mode string | T: all bfloat16; Tind: int32 int64
    Pad 21 | data T, pads int64, constant_value? T, axes? Tind | output T | mode string | T: all float8 int4s bfloat16; Tind: int32 int64
    Pow 13 | X T, Y T1 | Z T |  | T: floats bfloat16 int32 int64; T1: ints uints floats
    Pow 15 | X T, Y T1 | Z T |  | T: floats bfloat16 int32 int64; T1: ints uints floats bfloat16
    QLinearConv 10 | x T1, x_scale float, x_zero_point T1, w T2, w_scale float, w_zero_point T2, y_scale float, y_zero_point T3, B? T4 | y T3 | auto_pad string, dilations ints, group int, kernel_shape ints, pads ints, strides ints | T1: int8 uint8; T2: int8 uint8; T3: int8 uint8; T4: int32
    QLinearMatMul 10 | a T1, a_scale float, a_zero_point T1, b T2, b_scale float, b_zero_point T2, y_scale float, y_zero_point T3 | y T3 |  | T1: int8 uint8; T2: int8 uint8; T3: int8 uint8
    QLinearMatMul 21 | a T1, a_scale TS, a_zero_point T1, b T2, b_scale TS, b_zero_point T2, y_scale TS, y_zero_point T3 | y T3 |  | TS: bfloat16 float float16; T1: float8 int8 uint8; T2: float8 int8 uint8; T3: float8 int8 uint8
    QuantizeLinear 13 | x T1, y_scale float, y_zero_point? T2 | y T2 | axis int | T1: float int32; T2: int8 uint8
    QuantizeLinear 19 | x T1, y_scale T1, y_zero_point? T2 | y T2 | axis int, saturate int | T1: bfloat16 float float16 int32; T2: float8 int8 uint8
    QuantizeLinear 21 | x T1, y_scale T1, y_zero_point? T2 | y T2 | axis int, block_size int, output_dtype int, saturate int | T1: bfloat16 float float16 int32; T2: float8 int4s int16 int8 uint16 uint8
    RNN 7 | X T, W T, R T, B? T, sequence_lens? T1, initial_h? T | Y? T, Y_h? T | activation_alpha floats, activation_beta floats, activations strings, clip float, direction string, hidden_size int | T: floats; T1: int32
    RNN 14 | X T, W T, R T, B? T, sequence_lens? T1, initial_h? T | Y? T, Y_h? T | activation_alpha floats, activation_beta floats, activations strings, clip float, direction string, hidden_size int, layout int | T: floats; T1: int32
    RandomNormal 1 |  | output T | dtype int, mean float, scale float, seed float, shape! ints | T: floats
    RandomNormalLike 1 | input T1 | output T2 | dtype int, mean float, scale float, seed float | T1: all; T2: floats
    RandomUniform 1 |  | output T | dtype int, high float, low float, seed float, shape! ints | T: floats
    RandomUniformLike 1 | input T1 | output T2 | dtype int, high float, low float, seed float | T1: all; T2: floats
    Range 11 | start T, limit T, delta T | output T |  | T: double float int16 int32 int64
    Reciprocal 13 | X T | Y T |  | T: floats bfloat16
    ReduceL1 13 | data T | reduced T | axes ints, keepdims int | T: floats bfloat16 int32 int64 uint32 uint64
    ReduceL1 18 | data T, axes? int64 | reduced T | keepdims int, noop_with_empty_axes int | T: floats bfloat16 int32 int64 uint32 uint64
    ReduceL2 13 | data T | reduced T | axes ints, keepdims int | T: floats bfloat16 int32 int64 uint32 uint64
    ReduceL2 18 | data T, axes? int64 | reduced T | keepdims int, noop_with_empty_axes int | T: floats bfloat16 int32 int64 uint32 uint64
    ReduceLogSum 13 | data T | reduced T | axes ints, keepdims int | T: floats bfloat16 int32 int64 uint32 uint64
    ReduceLogSum 18 | data T, axes? int64 | reduced T | keepdims int, noop_with_empty_axes int | T: floats bfloat16 int32 int64 uint32 uint64
    ReduceLogSumExp 13 | data T | reduced T | axes ints, keepdims int | T: floats bfloat16 int32 int64 uint32 uint64
    ReduceLogSumExp 18 | data T, axes? int64 | reduced T | keepdims int, noop_with_empty_axes int | T: floats bfloat16 int32 int64 uint32 uint64
    ReduceMax 13 | data T | reduced T | axes ints, keepdims int | T: floats bfloat16 int32 int64 int8 uint32 uint64 uint8
    ReduceMax 18 | data T, axes? int64 | reduced T | keepdims int, noop_with_empty_axes int | T: floats bfloat16 int32 int64 int8 uint32 uint64 uint8
    ReduceMax 20 | data T, axes? int64 | reduced T | keepdims int, noop_with_empty_axes int | T: floats bfloat16 bool int32 int64 int8 uint32 uint64 uint8
    ReduceMean 13 | data T | reduced T | axes ints, keepdims int | T: floats bfloat16 int32 int64 uint32 uint64
    ReduceMean 18 | data T, axes? int64 | reduced T | keepdims int, noop_with_empty_axes int | T: floats bfloat16 int32 int64 uint32 uint64
    ReduceMin 13 | data T | reduced T | axes ints, keepdims int | T: floats bfloat16 int32 int64 int8 uint32 uint64 uint8
    ReduceMin 18 | data T, axes? int64 | reduced T | keepdims int, noop_with_empty_axes int | T: floats bfloat16 int32 int64 int8 uint32 uint64 uint8
    ReduceMin 20 | data T, axes? int64 | reduced T | keepdims int, noop_with_empty_axes int | T: floats bfloat16 bool int32 int64 int8 uint32 uint64 uint8
    ReduceProd 13 | data T | reduced T | axes ints, keepdims int | T: floats bfloat16 int32 int64 uint32 uint64
    ReduceProd 18 | data T, axes? int64 | reduced T | keepdims int, noop_with_empty_axes int | T: floats bfloat16 int32 int64 uint32 uint64
    ReduceSum 13 | data T, axes? int64 | reduced T | keepdims int, noop_with_empty_axes int | T: floats bfloat16 int32 int64 uint32 uint64
    ReduceSumSquare 13 | data T | reduced T | axes ints, keepdims int | T: floats bfloat16 int32 int64 uint32 uint64
    ReduceSumSquare 18 | data T, axes? int64 | reduced T | keepdims int, noop_with_empty_axes int | T: floats bfloat16 int32 int64 uint32 uint64
    RegexFullMatch 20 | X T1 | Y T2 | pattern string | T1: string; T2: bool
    Relu 13 | X T | Y T |  | T: floats bfloat16
    Relu 14 | X T | Y T |  | T: ints floats bfloat16
    Reshape 13 | data T, shape int64 | reshaped T |  | T: all bfloat16
    Reshape 14 | data T, shape int64 | reshaped T | allowzero int | T: all bfloat16
    Reshape 19 | data T, shape int64 | reshaped T | allowzero int | T: all float8 bfloat16
    Reshape 21 | data T, shape int64 | reshaped T | allowzero int | T: all float8 int4s bfloat16
    Resize 13 | X T1, roi? T2, scales? float, sizes? int64 | Y T1 | coordinate_transformation_mode string, cubic_coeff_a float, exclude_outside int, extrapolation_value float, mode string, nearest_mode string | T1: all bfloat16; T2: floats
    Resize 18 | X T1, roi? T2, scales? float, sizes? int64 | Y T1 | antialias int, axes ints, coordinate_transformation_mode string, cubic_coeff_a float, exclude_outside int, extrapolation_value float, keep_aspect_ratio_policy string, mode string, nearest_mode string | T1: all bfloat16; T2: floats
    Resize 19 | X T1, roi? T2, scales? float, sizes? int64 | Y T1 | antialias int, axes ints, coordinate_transformation_mode string, cubic_coeff_a float, exclude_outside int, extrapolation_value float, keep_aspect_ratio_policy string, mode string, nearest_mode string | T1: all bfloat16; T2: floats
    ReverseSequence 10 | input T, sequence_lens int64 | Y T | batch_axis int, time_axis int | T: all
    RoiAlign 10 | X T1, rois T1, batch_indices T2 | Y T1 | mode string, output_height int, output_width int, sampling_ratio int, spatial_scale float | T1: floats; T2: int64
    RoiAlign 16 | X T1, rois T1, batch_indices T2 | Y T1 | coordinate_transformation_mode string, mode string, output_height int, output_width int, sampling_ratio int, spatial_scale float | T1: floats; T2: int64
    Round 11 | X T | Y T |  | T: floats
    STFT 17 | signal T1, frame_step T2, window? T1, frame_length? T2 | output T1 | onesided int | T1: floats bfloat16; T2: int32 int64
    Scan 11 | initial_state_and_scan_inputs*1~ V | final_state_and_scan_outputs*1~ V | body! graph, num_scan_inputs! int, scan_input_axes ints, scan_input_directions ints, scan_output_axes ints, scan_output_directions ints | V: all
    Scan 16 | initial_state_and_scan_inputs*1~ V | final_state_and_scan_outputs*1~ V | body! graph, num_scan_inputs! int, scan_input_axes ints, scan_input_directions ints, scan_output_axes ints, scan_output_directions ints | V: all bfloat16
    Scan 19 | initial_state_and_scan_inputs*1~ V | final_state_and_scan_outputs*1~ V | body! graph, num_scan_inputs! int, scan_input_axes ints, scan_input_directions ints, scan_output_axes ints, scan_output_directions ints | V: all float8 bfloat16
    Scan 21 | initial_state_and_scan_inputs*1~ V | final_state_and_scan_outputs*1~ V | body! graph, num_scan_inputs! int, scan_input_axes ints, scan_input_directions ints, scan_output_axes ints, scan_output_directions ints | V: all float8 int4s bfloat16
    Scatter 11 deprecated
    ScatterElements 13 | data T, indices Tind, updates T | output T | axis int | T: all bfloat16; Tind: int32 int64
    ScatterElements 16 | data T, indices Tind, updates T | output T | axis int, reduction string | T: all bfloat16; Tind: int32 int64
    ScatterElements 18 | data T, indices Tind, updates T | output T | axis int, reduction string | T: all bfloat16; Tind: int32 int64
    ScatterND 13 | data T, indices int64, updates T | output T |  | T: all bfloat16
    ScatterND 16 | data T, indices int64, updates T | output T | reduction string | T: all bfloat16
    ScatterND 18 | data T, indices int64, updates T | output T | reduction string | T: all bfloat16
    Selu 6 | X T | Y T | alpha float, gamma float | T: floats
    SequenceAt 11 | input_sequence S, position I | tensor T |  | S: seq(all); T: all; I: int32 int64
    SequenceConstruct 11 | inputs*1 T | output_sequence S |  | T: all; S: seq(all)
    SequenceEmpty 11 |  | output S | dtype int | S: seq(all)
    SequenceErase 11 | input_sequence S, position? I | output_sequence S |  | S: seq(all); I: int32 int64
    SequenceInsert 11 | input_sequence S, tensor T, position? I | output_sequence S |  | T: all; S: seq(all); I: int32 int64
    SequenceLength 11 | input_sequence S | length I |  | S: seq(all); I: int64
    SequenceMap 17 | input_sequence S, additional_inputs*0~ V | out_sequence*1~ S | body! graph | S: seq(all); V: all seq(all)
    Shape 13 | data T | shape T1 |  | T: all bfloat16; T1: int64
    Shape 15 | data T | shape T1 | end int, start int | T: all bfloat16; T1: int64
    Shape 19 | data T | shape T1 | end int, start int | T: all float8 bfloat16; T1: int64
    Shape 21 | data T | shape T1 | end int, start int | T: all float8 int4s bfloat16; T1: int64
    Shrink 9 | input T | output T | bias float, lambd float | T: ints uints floats
    Sigmoid 13 | X T | Y T |  | T: floats bfloat16
    Sign 13 | input T | output T |  | T: ints uints floats bfloat16
    Sin 7 | input T | output T |  | T: floats
    Sinh 9 | input T | output T |  | T: floats
    Size 13 | data T | size T1 |  | T: all bfloat16; T1: int64
    Size 19 | data T | size T1 |  | T: all float8 bfloat16; T1: int64
    Size 21 | data T | size T1 |  | T: all float8 int4s bfloat16; T1: int64
    Slice 13 | data T, starts Tind, ends Tind, axes? Tind, steps? Tind | output T |  | T: all bfloat16; Tind: int32 int64
    Softmax 13 | input T | output T | axis int | T: floats bfloat16
    SoftmaxCrossEntropyLoss 13 | scores T, labels Tind, weights? T | output T, log_prob? T | ignore_index int, reduction string | T: floats bfloat16; Tind: int32 int64
    Softplus 1 | X T | Y T |  | T: floats
    Softsign 1 | input T | output T |  | T: floats
    SpaceToDepth 13 | input T | output T | blocksize! int | T: all bfloat16
    Split 13 | input T, split? int64 | outputs*1 T | axis int | T: all bfloat16
    Split 18 | input T, split? int64 | outputs*1 T | axis int, num_outputs int | T: all bfloat16
    SplitToSequence 11 | input T, split? I | output_sequence S | axis int, keepdims int | T: all; I: int32 int64; S: seq(all)
    Sqrt 13 | X T | Y T |  | T: floats bfloat16
    Squeeze 13 | data T, axes? int64 | squeezed T |  | T: all bfloat16
    Squeeze 21 | data T, axes? int64 | squeezed T |  | T: all float8 int4s bfloat16
    StringConcat 20 | X T, Y T | Z T |  | T: string
    StringNormalizer 10 | X string | Y string | case_change_action string, is_case_sensitive int, locale string, stopwords strings | 
    StringSplit 20 | X T1 | Y T2, Z T3 | delimiter string, maxsplit int | T1: string; T2: string; T3: int64
    Sub 13 | A T, B T | C T |  | T: floats bfloat16 int32 int64 uint32 uint64
    Sub 14 | A T, B T | C T |  | T: ints uints floats bfloat16
    Sum 13 | data_0*1 T | sum T |  | T: floats bfloat16
    Tan 7 | input T | output T |  | T: floats
    Tanh 13 | input T | output T |  | T: floats bfloat16
    TfIdfVectorizer 9 | X T | Y T1 | max_gram_length! int, max_skip_count! int, min_gram_length! int, mode! string, ngram_counts! ints, ngram_indexes! ints, pool_int64s ints, pool_strings strings, weights floats | T: int32 int64 string; T1: float
    ThresholdedRelu 10 | X T | Y T | alpha float | T: floats
    Tile 13 | input T, repeats T1 | output T |  | T: all bfloat16; T1: int64
    TopK 11 | X T, K int64 | Values T, Indices I | axis int, largest int, sorted int | T: ints uints floats; I: int64
    Transpose 13 | data T | transposed T | perm ints | T: all bfloat16
    Transpose 21 | data T | transposed T | perm ints | T: all float8 int4s bfloat16
    Trilu 14 | input T, k? int64 | output T | upper int | T: all bfloat16
    Unique 11 | X T | Y T, indices? int64, inverse_indices? int64, counts? int64 | axis int, sorted int | T: all
    Unsqueeze 13 | data T, axes int64 | expanded T |  | T: all bfloat16
    Unsqueeze 21 | data T, axes int64 | expanded T |  | T: all float8 int4s bfloat16
    Upsample 10 deprecated
    Where 9 | condition B, X T, Y T | output T |  | B: bool; T: all
    Where 16 | condition B, X T, Y T | output T |  | B: bool; T: all bfloat16
    Xor 7 | A T, B T | C T1 |  | T: bool; T1: bool
    ai.onnx.ml.ArrayFeatureExtractor 1 | X T, Y int64 | Z T |  | T: double float int32 int64 string
    ai.onnx.ml.Binarizer 1 | X T | Y T | threshold float | T: double float int32 int64
    ai.onnx.ml.CastMap 1 | X T1 | Y T2 | cast_to string, map_form string, max_map int | T1: map(int64,float) map(int64,string); T2: float int64 string
    ai.onnx.ml.CategoryMapper 1 | X T1 | Y T2 | cats_int64s ints, cats_strings strings, default_int64 int, default_string string | T1: int64 string; T2: int64 string
    ai.onnx.ml.DictVectorizer 1 | X T1 | Y T2 | int64_vocabulary ints, string_vocabulary strings | T1: map(int64,double) map(int64,float) map(int64,string) map(string,double) map(string,float) map(string,int64); T2: double float int64 string
    ai.onnx.ml.FeatureVectorizer 1 | X*1 T1 | Y float | inputdimensions ints | T1: double float int32 int64
    ai.onnx.ml.Imputer 1 | X T | Y T | imputed_value_floats floats, imputed_value_int64s ints, replaced_value_float float, replaced_value_int64 int | T: double float int32 int64
    ai.onnx.ml.LabelEncoder 1 | X T1 | Y T2 | classes_strings strings, default_int64 int, default_string string | T1: int64 string; T2: int64 string
    ai.onnx.ml.LabelEncoder 2 | X T1 | Y T2 | default_float float, default_int64 int, default_string string, keys_floats floats, keys_int64s ints, keys_strings strings, values_floats floats, values_int64s ints, values_strings strings | T1: float int64 string; T2: float int64 string
    ai.onnx.ml.LabelEncoder 4 | X T1 | Y T2 | default_float float, default_int64 int, default_string string, default_tensor tensor, keys_floats floats, keys_int64s ints, keys_strings strings, keys_tensor tensor, values_floats floats, values_int64s ints, values_strings strings, values_tensor tensor | T1: double float int16 int32 int64 string; T2: double float int16 int32 int64 string
    ai.onnx.ml.LinearClassifier 1 | X T1 | Y T2, Z float | classlabels_ints ints, classlabels_strings strings, coefficients! floats, intercepts floats, multi_class int, post_transform string | T1: double float int32 int64; T2: int64 string
    ai.onnx.ml.LinearRegressor 1 | X T | Y float | coefficients floats, intercepts floats, post_transform string, targets int | T: double float int32 int64
    ai.onnx.ml.Normalizer 1 | X T | Y float | norm string | T: double float int32 int64
    ai.onnx.ml.OneHotEncoder 1 | X T | Y float | cats_int64s ints, cats_strings strings, zeros int | T: double float int32 int64 string
    ai.onnx.ml.SVMClassifier 1 | X T1 | Y T2, Z float | classlabels_ints ints, classlabels_strings strings, coefficients floats, kernel_params floats, kernel_type string, post_transform string, prob_a floats, prob_b floats, rho floats, support_vectors floats, vectors_per_class ints | T1: double float int32 int64; T2: int64 string
    ai.onnx.ml.SVMRegressor 1 | X T | Y float | coefficients floats, kernel_params floats, kernel_type string, n_supports int, one_class int, post_transform string, rho floats, support_vectors floats | T: double float int32 int64
    ai.onnx.ml.Scaler 1 | X T | Y float | offset floats, scale floats | T: double float int32 int64
    ai.onnx.ml.TreeEnsemble 5 | X T | Y T | aggregate_function int, leaf_targetids! ints, leaf_weights! tensor, membership_values tensor, n_targets int, nodes_falseleafs! ints, nodes_falsenodeids! ints, nodes_featureids! ints, nodes_hitrates tensor, nodes_missing_value_tracks_true ints, nodes_modes! tensor, nodes_splits! tensor, nodes_trueleafs! ints, nodes_truenodeids! ints, post_transform int, tree_roots! ints | T: floats
    ai.onnx.ml.TreeEnsembleClassifier 1 | X T1 | Y T2, Z float | base_values floats, class_ids ints, class_nodeids ints, class_treeids ints, class_weights floats, classlabels_int64s ints, classlabels_strings strings, nodes_falsenodeids ints, nodes_featureids ints, nodes_hitrates floats, nodes_missing_value_tracks_true ints, nodes_modes strings, nodes_nodeids ints, nodes_treeids ints, nodes_truenodeids ints, nodes_values floats, post_transform string | T1: double float int32 int64; T2: int64 string
    ai.onnx.ml.TreeEnsembleClassifier 3 | X T1 | Y T2, Z float | base_values floats, base_values_as_tensor tensor, class_ids ints, class_nodeids ints, class_treeids ints, class_weights floats, class_weights_as_tensor tensor, classlabels_int64s ints, classlabels_strings strings, nodes_falsenodeids ints, nodes_featureids ints, nodes_hitrates floats, nodes_hitrates_as_tensor tensor, nodes_missing_value_tracks_true ints, nodes_modes strings, nodes_nodeids ints, nodes_treeids ints, nodes_truenodeids ints, nodes_values floats, nodes_values_as_tensor tensor, post_transform string | T1: double float int32 int64; T2: int64 string
    ai.onnx.ml.TreeEnsembleClassifier 5 deprecated
    ai.onnx.ml.TreeEnsembleRegressor 1 | X T | Y float | aggregate_function string, base_values floats, n_targets int, nodes_falsenodeids ints, nodes_featureids ints, nodes_hitrates floats, nodes_missing_value_tracks_true ints, nodes_modes strings, nodes_nodeids ints, nodes_treeids ints, nodes_truenodeids ints, nodes_values floats, post_transform string, target_ids ints, target_nodeids ints, target_treeids ints, target_weights floats | T: double float int32 int64
    ai.onnx.ml.TreeEnsembleRegressor 3 | X T | Y float | aggregate_function string, base_values floats, base_values_as_tensor tensor, n_targets int, nodes_falsenodeids ints, nodes_featureids ints, nodes_hitrates floats, nodes_hitrates_as_tensor tensor, nodes_missing_value_tracks_true ints, nodes_modes strings, nodes_nodeids ints, nodes_treeids ints, nodes_truenodeids ints, nodes_values floats, nodes_values_as_tensor tensor, post_transform string, target_ids ints, target_nodeids ints, target_treeids ints, target_weights floats, target_weights_as_tensor tensor | T: double float int32 int64
    ai.onnx.ml.TreeEnsembleRegressor 5 deprecated
    ai.onnx.ml.ZipMap 1 | X float | Z T | classlabels_int64s ints, classlabels_strings strings | T: seq(map(int64,float)) seq(map(string,float))
    ai.onnx.preview.training.Adagrad 1 | R T1, T T2, inputs*1~ T3 | outputs*1~ T3 | decay_factor float, epsilon float, norm_coefficient float | T1: double float; T2: int64; T3: double float
    ai.onnx.preview.training.Adam 1 | R T1, T T2, inputs*1~ T3 | outputs*1~ T3 | alpha float, beta float, epsilon float, norm_coefficient float, norm_coefficient_post float | T1: double float; T2: int64; T3: double float
    ai.onnx.preview.training.Gradient 1 | Inputs*1~ T1 | Outputs*1~ T2 | xs! strings, y! string, zs strings | T1: all; T2: floats
    ai.onnx.preview.training.Momentum 1 | R T1, T T2, inputs*1~ T3 | outputs*1~ T3 | alpha! float, beta! float, mode! string, norm_coefficient! float | T1: double float; T2: int64; T3: double float
    """
}
