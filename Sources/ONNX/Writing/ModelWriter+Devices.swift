// The messages of models that are spread over devices.

internal import COnnxSchema

extension ModelWriter {
  mutating func deviceConfiguration(
    _ configuration: DeviceConfiguration
  ) throws(ONNXError) -> UnsafeMutablePointer<RankerkitOnnx__DeviceConfigurationProto> {
    let proto = arena.message(rankerkit_onnx__device_configuration_proto__init)
    proto.pointee.name = try written(configuration.name, configuration.presence, .name)
    (proto.pointee.has_num_devices, proto.pointee.num_devices) = (1, configuration.deviceCount)
    (proto.pointee.n_device, proto.pointee.device) = try texts(configuration.devices)
    try unknown(configuration.unknownFields, &proto.pointee.base)
    return proto
  }

  mutating func nodeDeviceConfiguration(
    _ configuration: NodeDeviceConfiguration
  ) throws(ONNXError) -> UnsafeMutablePointer<RankerkitOnnx__NodeDeviceConfigurationProto> {
    let proto = arena.message(rankerkit_onnx__node_device_configuration_proto__init)
    proto.pointee.configuration_id = try written(configuration.configuration, configuration.presence, .name)
    (proto.pointee.n_sharding_spec, proto.pointee.sharding_spec) = try list(
      configuration.shardings, "sharding_spec"
    ) { (writer, sharding) throws(ONNXError) in try writer.sharding(sharding) }
    if let stage = configuration.pipelineStage {
      (proto.pointee.has_pipeline_stage, proto.pointee.pipeline_stage) = (1, stage)
    }
    try unknown(configuration.unknownFields, &proto.pointee.base)
    return proto
  }

  private mutating func sharding(
    _ sharding: Sharding
  ) throws(ONNXError) -> UnsafeMutablePointer<RankerkitOnnx__ShardingSpecProto> {
    let proto = arena.message(rankerkit_onnx__sharding_spec_proto__init)
    proto.pointee.tensor_name = try written(sharding.valueName, sharding.presence, .name)
    (proto.pointee.n_device, proto.pointee.device) = (sharding.devices.count, arena.copy(sharding.devices))
    (proto.pointee.n_index_to_device_group_map, proto.pointee.index_to_device_group_map) = try list(
      sharding.deviceGroups, "index_to_device_group_map"
    ) { (writer, group) throws(ONNXError) in
      let proto = writer.arena.message(rankerkit_onnx__int_int_list_entry_proto__init)
      (proto.pointee.has_key, proto.pointee.key) = (1, group.key)
      (proto.pointee.n_value, proto.pointee.value) = (group.devices.count, writer.arena.copy(group.devices))
      try writer.unknown(group.unknownFields, &proto.pointee.base)
      return proto
    }
    (proto.pointee.n_sharded_dim, proto.pointee.sharded_dim) = try list(sharding.axes, "sharded_dim") {
      (writer, axis) throws(ONNXError) in try writer.axis(axis)
    }
    try unknown(sharding.unknownFields, &proto.pointee.base)
    return proto
  }

  private mutating func axis(
    _ axis: ShardedAxis
  ) throws(ONNXError) -> UnsafeMutablePointer<RankerkitOnnx__ShardedDimProto> {
    let proto = arena.message(rankerkit_onnx__sharded_dim_proto__init)
    (proto.pointee.has_axis, proto.pointee.axis) = (1, axis.axis)
    (proto.pointee.n_simple_sharding, proto.pointee.simple_sharding) = try list(axis.parts, "simple_sharding") {
      (writer, part) throws(ONNXError) in
      let proto = writer.arena.message(rankerkit_onnx__simple_sharded_dim_proto__init)
      switch part.extent {
      case .fixed(let extent):
        proto.pointee.dim_case = RANKERKIT_ONNX__SIMPLE_SHARDED_DIM_PROTO__DIM_DIM_VALUE
        proto.pointee.dim_value = extent
      case .named(let name):
        proto.pointee.dim_case = RANKERKIT_ONNX__SIMPLE_SHARDED_DIM_PROTO__DIM_DIM_PARAM
        proto.pointee.dim_param = try writer.text(name)
      case .unknown: break
      }
      (proto.pointee.has_num_shards, proto.pointee.num_shards) = (1, part.shardCount)
      try writer.unknown(part.unknownFields, &proto.pointee.base)
      return proto
    }
    try unknown(axis.unknownFields, &proto.pointee.base)
    return proto
  }
}
