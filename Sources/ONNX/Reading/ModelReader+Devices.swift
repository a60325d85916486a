// The messages of models that are spread over devices.

internal import COnnxSchema

extension ModelReader {
  func deviceConfiguration(_ proto: RankerkitOnnx__DeviceConfigurationProto) throws(ONNXError) -> DeviceConfiguration {
    var configuration = DeviceConfiguration(
      name: text(proto.name) ?? "", deviceCount: proto.has_num_devices != 0 ? proto.num_devices : 0,
      devices: texts(proto.n_device, proto.device))
    if proto.name == nil { configuration.presence.note(.name) }
    configuration.unknownFields = UnknownFields(proto.base)
    return configuration
  }

  func nodeDeviceConfiguration(
    _ proto: RankerkitOnnx__NodeDeviceConfigurationProto
  ) throws(ONNXError) -> NodeDeviceConfiguration {
    var configuration = NodeDeviceConfiguration(
      configuration: text(proto.configuration_id) ?? "",
      shardings: try list(proto.n_sharding_spec, proto.sharding_spec, "sharding_spec", sharding),
      pipelineStage: proto.has_pipeline_stage != 0 ? proto.pipeline_stage : nil)
    if proto.configuration_id == nil { configuration.presence.note(.name) }
    configuration.unknownFields = UnknownFields(proto.base)
    return configuration
  }

  private func sharding(_ proto: RankerkitOnnx__ShardingSpecProto) throws(ONNXError) -> Sharding {
    var sharding = Sharding(
      valueName: text(proto.tensor_name) ?? "",
      devices: Array(UnsafeBufferPointer(start: proto.device, count: proto.n_device)),
      deviceGroups: try list(
        proto.n_index_to_device_group_map, proto.index_to_device_group_map, "index_to_device_group_map", group),
      axes: try list(proto.n_sharded_dim, proto.sharded_dim, "sharded_dim", axis))
    if proto.tensor_name == nil { sharding.presence.note(.name) }
    sharding.unknownFields = UnknownFields(proto.base)
    return sharding
  }

  private func group(_ proto: RankerkitOnnx__IntIntListEntryProto) throws(ONNXError) -> Sharding.DeviceGroup {
    var group = Sharding.DeviceGroup(
      key: proto.has_key != 0 ? proto.key : 0,
      devices: Array(UnsafeBufferPointer(start: proto.value, count: proto.n_value)))
    group.unknownFields = UnknownFields(proto.base)
    return group
  }

  private func axis(_ proto: RankerkitOnnx__ShardedDimProto) throws(ONNXError) -> ShardedAxis {
    var axis = ShardedAxis(
      axis: proto.has_axis != 0 ? proto.axis : 0,
      parts: try list(proto.n_simple_sharding, proto.simple_sharding, "simple_sharding", part))
    axis.unknownFields = UnknownFields(proto.base)
    return axis
  }

  private func part(_ proto: RankerkitOnnx__SimpleShardedDimProto) throws(ONNXError) -> ShardedAxis.Part {
    let extent: Dimension.Extent =
      switch proto.dim_case {
      case RANKERKIT_ONNX__SIMPLE_SHARDED_DIM_PROTO__DIM_DIM_VALUE: .fixed(proto.dim_value)
      case RANKERKIT_ONNX__SIMPLE_SHARDED_DIM_PROTO__DIM_DIM_PARAM: .named(text(proto.dim_param) ?? "")
      default: .unknown
      }
    var part = ShardedAxis.Part(extent: extent, shardCount: proto.has_num_shards != 0 ? proto.num_shards : 0)
    part.unknownFields = UnknownFields(proto.base)
    return part
  }
}
